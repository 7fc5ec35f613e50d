"""Texts for BERTweet's normalizer, hard ones: pieces of what it looks for, cut and joined at random."""
import html.entities

PIECES = {
    "urls": ["http://", "https://", "http:", "HTTPS:/", "http:///", "httpſ:", "www.", "a.com/", "example.co.uk", "x-y.org", "t.co/Ab1", "//", "/", "/a",
             "?q=1", "&b=", "%20", "#frag", "index.html", ".com", ".co", ".", ",", "-", "com", "http", "İ.ſK", "a.toolongtopleveldom", "1.2.3", "(a)", "(a(b)c)",
             "(", ")", "()", "((", "))", "[", "]", "{", "}", "<", ">", "x", "!", "…", "«", "é", " ", "\u00a0"],
    "parentheses": ["http:a", "(", "(", ")", ")", "a", "b.", ".", ",", "<", " ", "[", "/", "\u2019", "é"],
    "emoticons": [":)", ":-(", ";o)", "=P", "8)", "8-d", ">:(", "<:|", "(:", "D=", "<3", "d:", "@:", ":'(", "\\", "|", ":", ";", "=", "8", "<", ">", "-", "o", "O", "*",
                  "'", "D", "p", "P", "{", "}", "/", "[", "x", " "],
    "phones": ["+1", "1", "0", "(", ")", "555", "555-", "1234", "12345", ".", " ", "*", "-", "(555)", "+", "0 ", "٣٤٥", "٣", "123456", "x", "\u00a0"],
    "names": ["@", "@user", "@a_b", "#", "##", "#tag", "#a'b", "_", "'", "-", "a", "é", "1", "@@", "me@x.org", "a.b+c", "@x.y", ".", "x.c.d", "+", "\u200d", "中", " "],
    "contractions": ["can", "not", "cannot", "n't", "n", "'t", "ca", "ai", "'m", "'re", "'s", "'ll", "'d", "'ve", "p", "a", ".", "m", "p.m.", "a.m", "’", "'", "do", "I",
                     " ", " ", " ", "\ufe0f"],
    "dots": [".", "..", "...", "....", "…", " ", "\n", "\t", "\x1c", "\x85", "\u3000", "!", "!!!!", "-", "--", "---->", "<--", "<-", "->", ">", "<", "<b>", "<a href=", "/>", "a"],
    "numbers": ["1", "12", "+", "-", "/", ",", ":", ".", "½", "²", "٣", "߀", "𝟘", "1e5", "$", "%", "a", "_", " ", "ⅷ"],
    "entities": ["&", ";", "#", "x", "X", "&#", "&#x", "&amp;", "&lt;", "&gt;", "&quot;", "&nbsp;", "&hellip;", "&rsquo;", "&hearts;", "&Eacute;", "&apos;", "&nope;", "&#65;", "&#x41;",
                 "&#X41;", "&x41;", "&xi;", "&xa;", "&#128;", "&#129;", "&#x9f;", "&#0;", "&#xFFFF;", "&#xD83D;", "&#xDE00;", "&#55357;", "&#x110000;", "&#1114111;", "&#x1F600;", "&#6_5;",
                 "&#_65;", "&#65_;", "&#6__5;", "&#+65;", "&#-65;", "&#-0;", "&#٦٥;", "&#x0x41;", "&x0x_41;", "&#x٠X٤1;", "&#99999999999999999999999;", "&#\x1c65;", "1", "a", " ",
                 "&#13;", "&#x200D;", "&#xFE0F;", "&#39;"],
    "emoji": ["😀", "😂", "❤", "❤️", "👍🏽", "👩‍👩‍👧", "🇩🇪", "🇩", "1️⃣", "#️⃣", "️", "︎", "\u20e3", "🏻", "🈚", "🉐", "©", "™", "ℹ", "☺", "☹️", "♀", "🦩", "🪿", "🫩", "‼", "⁉", "\u200d", "a",
              " ", "\U000e0067", "〰"],
    "scripts": ["日本語", "한국어", "привет", "مرحبا", "שלום", "नमस्ते", "ไทย", "é", "e\u0301", "ß", "İ", "ı", "ſ", "K", "_", "-", "'", "·", "\u200c", "\u200d", "\ufeff", "\u200b", "ª", "𝒳",
                "\U0003d000", "\u0558", "a", " ", "1"],
    "white": [" ", "\t", "\n", "\r", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x1f", "\x85", "\xa0", "\u1680", "\u2003", "\u2028", "\u202f", "\u205f", "\u3000", "\u200b", "\u180e",
              "a", ".", "'s", "p", "m", "@"],
    "runs": ["a" * 5, "." * 5, "!" * 4, "é" * 5, "😀" * 5, " " * 6, "1" * 5, "_" * 5, "-" * 4, "/" * 5, "(" * 5, "@" * 4, "#" * 4, "\n" * 4, "ſ" * 5, "中" * 4, "x", "http:", "."],
    "words": ["the", "I'm", "don't", "rock-n-roll", "well-known", "_private_", "a_b", "X", "it’s", "cannot", "10p.m.", "U.S.A.", "e.g.", "No1", "100%", "$5", "and/or", " ", " ", " ", ", ", ". "],
    "control": ["<s>", "</s>", "<pad>", "<unk>", "<mask>", "<MASK>", " ", "the", "@x", "http://a.bc", ":)", "😀"],
}
KINDS = list(PIECES)
SIGNS = "http:/w.a1-_@#+()<>[]&;x'\"!,?% \n:)8=DoP*|{}\\p…’é😀"


def tweet_texts(rng, count, longest=14):
    """`count` texts of one kind of pieces each, of two, of all, of single signs, or of any characters."""
    everything = [piece for pieces in PIECES.values() for piece in pieces]
    entities = list(html.entities.name2codepoint)
    for index in range(count):
        draw = rng.random()
        if draw < 0.1:
            yield "".join(rng.choice(SIGNS) for _ in range(rng.randrange(1, 2 * longest)))
        elif draw < 0.13:
            yield "".join(chr(rng.choice([rng.randrange(0x250), rng.randrange(0xD800), rng.randrange(0xE000, 0x110000)])) for _ in range(rng.randrange(1, longest)))
        elif draw < 0.15:
            yield "".join(f"&{rng.choice(entities)};" + rng.choice(["", "a", " "]) for _ in range(rng.randrange(1, longest)))
        else:
            pieces = everything if draw < 0.3 else PIECES[KINDS[index % len(KINDS)]]
            if 0.3 <= draw < 0.5:
                pieces = pieces + PIECES[rng.choice(KINDS)]
            text = ""
            for _ in range(rng.randrange(1, longest)):
                piece = rng.choice(pieces)
                text += piece[rng.randrange(len(piece)):] if rng.random() < 0.1 else piece
                text += " " if rng.random() < 0.1 else ""
            yield text
