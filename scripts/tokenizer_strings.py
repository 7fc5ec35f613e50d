"""The strings of make-tokenizer-fixtures.py: seeded generators of what tokenizers get wrong, 24 kinds of it."""
import unicodedata
from random import Random

CLASS_SIZE = 240

SENTENCES = [
    "The committee didn't approve the third-quarter budget, so nobody's travel plans changed.",
    "It's 7:30 p.m.; we'll leave at 8 and they've promised (more or less) to wait.",
    "Größere Städte haben überfüllte Straßen; Ärger gibt's täglich.",
    "L'été dernier, nous avons mangé des crêpes à la crème brûlée près de l'île.",
    "El niño pequeño comió piñas y después soñó con pingüinos.",
    "Zażółć gęślą jaźń, mówi pchła szachrajka.",
    "Příliš žluťoučký kůň úpěl ďábelské ódy.",
    "Съешь же ещё этих мягких французских булок, да выпей чаю.",
    "Їжак щодня їсть ґрунтові гриби біля під'їзду.",
    "Η γρήγορη αλεπού πήδηξε πάνω από τον τεμπέλη σκύλο. ΟΔΟΣ Οδυσσέως",
    "İstanbul'da IĞDIR'lı ılık çay içtik.",
    "Trên bàn có ba quả táo và một lọ nước mắm đặc biệt.",
    "私は昨日、東京で新しい本を二冊買いました。",
    "カタカナとひらがなと漢字が混ざったﾃｷｽﾄ。",
    "我们明天去图书馆看书，好吗？",
    "繁體中文與简体中文，混在一起。",
    "안녕하세요, 오늘 날씨가 정말 좋네요!",
    "שלום עולם, מה שלומך היום?",
    "مرحبا بالعالم، كيف حالك اليوم؟",
    "नमस्ते दुनिया, आप कैसे हैं?",
    "আমার সোনার বাংলা, আমি তোমায় ভালোবাসি।",
    "வணக்கம் உலகம், எப்படி இருக்கிறீர்கள்?",
    "สวัสดีชาวโลก วันนี้อากาศดีมาก",
    "გამარჯობა მსოფლიო, როგორ ხარ?",
    "Բարեւ աշխարհ, ինչպե՞ս ես։",
    "ሰላም ለዓለም፣ እንዴት ነህ?",
]
CODE = [
    "for (int i = 0; i < n; ++i) { sum += a[i] * b[i]; }",
    "SELECT name, COUNT(*) FROM users WHERE age >= 18 GROUP BY name;",
    'def f(x: int) -> str:\n\treturn f"{x!r:>10}"  # done',
    "https://example.org/a/b?c=d&e=%20f#top  user.name+tag@example.co.uk",
    "C:\\Users\\x\\file.txt /usr/lib/x86_64-linux-gnu/libm.so.6",
    "git commit -m 'fix: off-by-one' && ./run.sh 2>&1 | tee log_01.txt",
    '{"key": [1, 2.5e-3, null, true], "k2": "\\u00e9"}',
]
SPACES = (
    "\t\n\r\x0b\x0c\x1c\x1d\x1e\x1f \x85\xa0\u1680\u180e\u2000\u2003\u2009\u200a\u200b\u2028\u2029\u202f\u205f"
    "\u3000\ufeff"
)
EMOJI = [
    "\U0001F600", "\U0001F468\u200d\U0001F469\u200d\U0001F467", "\U0001F1E9\U0001F1EA", "\u2764\ufe0f",
    "1\ufe0f\u20e3", "\U0001F44D\U0001F3FD", "\U0001F3F4\U000E0067\U000E0062\U000E007F", "\u00a9", "\u2122",
    "\U0001FAE0",
]  # fmt: skip
CONTROLS = ["\u200b", "\u200d", "\u2060", "\xad", "\ufffd", "\ue000", "\U000e0001", "\u0378"]
PUNCTUATION = ["\u166d", "\u0964", "\u061f", "\U00010100", "\U000111c9"]
NUMBERS = [".", ",", "-", " ", "%", "\u0663", "\u00bd", "\u2167", "\uff15", "\u0967", "e+5", "x"]
CONTRACTIONS = ["n't", "'s", "'LL", "\u2019re", "'", "\u2018x\u2019", "o'c", "-", "\u2014", "..."]
SPECIAL = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[sep]", "[Sep]", "[ SEP ]", "[SEP", "SEP]", "[[SEP]]",
    "[SEP][CLS]", "[MASK].", "</s>", "##s", "[UNK]x",
]  # fmt: skip
BROKEN_BYTES = [0x80, 0xBF, 0xC0, 0xC1, 0xC3, 0xE0, 0xE2, 0xED, 0xF0, 0xF4, 0xF5, 0xFF, 0x9F, 0xA0]

CJK = [
    (0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2CEAF), (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F), (0x30000, 0x3134A), (0x3000, 0x30FF), (0xFF00, 0xFFEF), (0x2E80, 0x2FDF),
    (0x2B730, 0x2B750), (0x2B815, 0x2B925),
]  # fmt: skip
RTL = [
    (0x5D0, 0x5EA), (0x591, 0x5C7), (0x620, 0x65F), (0x66E, 0x6D3), (0x6F0, 0x6FF), (0x780, 0x7B1),
    (0x200E, 0x200F), (0x202A, 0x202E),
]  # fmt: skip
CASED = [
    (0x41, 0x5A), (0xC0, 0x17F), (0x180, 0x24F), (0x370, 0x3FF), (0x400, 0x52F), (0x531, 0x587), (0x10A0, 0x10FF),
    (0x13A0, 0x13FF), (0x1C90, 0x1CBF), (0x1E00, 0x1FFF), (0x2100, 0x218F), (0x24B6, 0x24E9), (0x2C00, 0x2D2F),
    (0xA640, 0xA69F), (0xA720, 0xA7FF), (0xFF21, 0xFF5A), (0x10400, 0x104FF), (0x1E900, 0x1E943),
]  # fmt: skip
MARKS = [
    (0x300, 0x36F), (0x483, 0x489), (0x591, 0x5BD), (0x64B, 0x65F), (0x900, 0x903), (0x93A, 0x94F), (0xE31, 0xE4E),
    (0xF71, 0xF87), (0x1AB0, 0x1ACE), (0x1DC0, 0x1DFF), (0x20D0, 0x20F0), (0x302A, 0x302F), (0x3099, 0x309A),
    (0xFE20, 0xFE2F), (0x1D165, 0x1D172), (0x1E8D0, 0x1E8D6), (0x1E000, 0x1E02A), (0x16AF0, 0x16AF4),
    (0x10EAB, 0x10EAC),
]  # fmt: skip
PUNCTUATED = [
    (0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E), (0xA1, 0xBF), (0x2010, 0x205E), (0x3001, 0x3030),
    (0xFE10, 0xFE6B), (0x2E00, 0x2E5D),
]  # fmt: skip


class Maker:
    """One kind's source of strings. `words`: what ordinary text is made of."""

    def __init__(self, kind, words):
        self.random = Random(kind)
        self.words = words

    def pick(self, items):
        return self.random.choice(items)

    def scalar(self, low=0, high=0x10FFFF):
        while True:
            c = self.random.randint(low, high)
            if not 0xD800 <= c < 0xE000:
                return chr(c)

    def among(self, ranges):
        return self.scalar(*self.pick(ranges))

    def run(self, make, low=1, high=12):
        return "".join(make() for _ in range(self.random.randint(low, high)))

    def mixed(self, ranges, share, others, high):
        """A run of characters of the ranges, among them one of `others` about every `share` characters."""
        return self.run(lambda: self.pick(others) if self.random.randrange(share) == 0 else self.among(ranges), 1, high)

    def text(self):
        return " ".join(self.pick(self.words) for _ in range(self.random.randint(1, 9)))

    def sprinkle(self, item):
        """Ordinary text with some of `item()` inside words, beside them and between them."""
        out = list(self.text())
        for _ in range(self.random.randint(1, 6)):
            out.insert(self.random.randint(0, len(out)), item())
        return "".join(out)

    def marks(self, low, high):
        return self.run(lambda: self.among(MARKS), low, high)

    def sentence(self):
        a = self.pick(SENTENCES)
        cut = a[: self.random.randint(1, len(a))]
        return self.pick([a, a.upper(), a.lower(), a + " " + self.pick(SENTENCES), cut])

    def number(self):
        return str(self.random.randint(0, 10 ** self.random.randint(1, 12)))

    def normal_form(self):
        return unicodedata.normalize(self.pick(["NFC", "NFD", "NFKC", "NFKD"]), self.sentence())

    def mark_order(self):
        """Marks that strip_accents keeps, of two classes, among such as part them and such as do not."""
        others = ["\x01", "\0", "\u200b", "\u0301", "\u0345", "\u0e31", "\u0941", "\u302e", "\u1dfa", "\u0903", "a"]
        return self.run(lambda: self.pick(["\U0001D165", "\U0001D16D"] * 4 + others), 2, 20)

    def long_word(self):
        alphabets = ["a", "abc", "\u00e9a", "\u0434\u0430", "a\u0301", "\uac00", "0123456789", "\U00010400", "\u0130"]
        alphabet = self.pick(alphabets)
        count = self.pick([97, 98, 99, 100, 101, 102, 103, 150, 400]) - self.pick([0, 0, 1])
        word = "".join(self.pick(alphabet) for _ in range(count))
        return self.pick(["", self.text() + " "]) + word + self.pick(["", " end", "!", "\u4e00x"])

    def surrogate(self):
        lone = bytes([0xED, self.random.randint(0xA0, 0xBF), self.random.randint(0x80, 0xBF)])
        return self.text().encode() + lone + self.pick([b"", b" x", b"\xed\xb0\x80"])

    def broken(self):
        data = bytearray(self.pick(SENTENCES).encode())
        for _ in range(self.random.randint(1, 5)):
            at = self.random.randrange(len(data))
            if self.random.random() < 0.5:
                del data[at : at + self.random.randint(1, 3)]
            else:
                data[at:at] = bytes(self.pick(BROKEN_BYTES) for _ in range(self.random.randint(1, 4)))
        return bytes(data)


KINDS = {
    "combining": lambda m: m.sprinkle(lambda: m.marks(1, 3)),
    "zalgo": lambda m: m.run(lambda: m.pick("aeiouzAEIOU") + m.marks(3, 15), 1, 6),
    "mark-order": Maker.mark_order,
    "cjk": lambda m: m.mixed(CJK, 5, [" ", "a", "1", "\u3002"], 20),
    "hangul": lambda m: m.mixed([(0xAC00, 0xD7A3)] * 3 + [(0x1100, 0x11FF), (0x3130, 0x318F)], 6, [" "], 15),
    "rtl": lambda m: m.mixed(RTL, 6, [" ", "a", "."], 25),
    "emoji": lambda m: m.sprinkle(lambda: m.pick(EMOJI)),
    "control": lambda m: m.sprinkle(lambda: m.mixed([(0, 0x1F), (0x7F, 0x9F)], 2, CONTROLS, 1)),
    "nul": lambda m: m.sprinkle(lambda: m.pick(["\0", "\0\0", " \0 "])),
    "surrogate": Maker.surrogate,
    "broken": Maker.broken,
    "long-word": Maker.long_word,
    "empty": lambda m: m.run(lambda: m.pick(["", " ", "\t", "\0", "\n", "\u200b", "\u3000", "\u0301", "\ufeff"]), 0, 6),
    "special": lambda m: m.sprinkle(lambda: m.pick(["", " "]) + m.pick(SPECIAL) + m.pick(["", " "])),
    "case": lambda m: m.mixed(CASED, 8, [" ", "\u0307", "\u0345"], 25),
    "whitespace": lambda m: m.sprinkle(lambda: m.run(lambda: m.pick(SPACES), 1, 4)),
    "punctuation": lambda m: m.sprinkle(lambda: m.mixed(PUNCTUATED, 3, PUNCTUATION, 2)),
    "number": lambda m: m.run(lambda: m.pick([m.number()] * 6 + NUMBERS), 1, 10),
    "contraction": lambda m: m.sprinkle(lambda: m.pick(CONTRACTIONS)),
    "normal-form": Maker.normal_form,
    "random": lambda m: m.mixed([(0, 0x10FFFF), (0, 0xFFFF), (0, 0x2FFF)], 4, [" "], 25),
    "code": lambda m: m.pick(CODE) + m.pick(["", " ", "\n"]) + m.pick(CODE)[: m.random.randint(0, 40)],
    "multilingual": Maker.sentence,
    "english": lambda m: m.text().capitalize() + m.pick([".", "!", "?", ", " + m.text() + "."]),
}


def hard_strings(words, seed="", size=CLASS_SIZE):
    """(kind, bytes) pairs, `size` of each kind. Some of the bytes are not valid UTF-8."""
    for kind, make in KINDS.items():
        maker = Maker(kind + seed, words)
        for _ in range(size):
            made = make(maker)
            yield kind, made if isinstance(made, bytes) else made.encode()


def is_plain(character):
    if " " <= character < "\x7f":
        return character != "\\"
    right_to_left = unicodedata.bidirectional(character) in ("R", "AL", "AN")
    return character > "\xa0" and unicodedata.category(character)[0] in "LNPS" and not right_to_left


def escape(data):
    """Printable text as it is; everything else, marks and right-to-left letters included, as \\xNN bytes."""
    out = ""
    for character in data.decode("utf-8", "surrogateescape"):
        raw = character.encode("utf-8", "surrogateescape")
        out += character if is_plain(character) else "".join(f"\\x{b:02x}" for b in raw)
    return out
