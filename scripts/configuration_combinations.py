"""Random combinations of settings, and of what lies around a configuration: for check-configurations.py --combinations.

Settings are drawn so that pairs of values which did not yet stand together go first. Around them vary the container and the
types of the weights, which keys are there and by which names, labels, problem_type, `architectures`, the tokenizer's limit,
and the lengths of texts. The checkpoint is read by from_pretrained as it lies on the disk.
"""
import copy
import itertools
import json
import random
import re
import time

import golden_families
import torch
import transformers
from safetensors.torch import save_file
from transformers.pipelines.text_classification import TextClassificationPipeline

# Of so many combinations the one with most pairs that are new.
CANDIDATES = 6
# A default of more would make another model of what is left out: slow, or too large.
LARGEST_DEFAULT = 16
KEPT = {"model_type", "architectures", "vocab_size"}
LANGUAGE_MODELS = ["llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3_text", "ministral", "phi3", "smollm3", "olmo2",
                   "olmo3", "granite", "hunyuan_v1_dense", "ministral3", "seed_oss", "exaone4", "glm", "glm4", "nemotron", "arcee",
                   "helium", "olmo", "qwen3_5_text", "lfm2"]
DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
TYPES = [None, "f16", "bf16", "q8_0", "q5_0", "q4_0"]
ONE_OF_MANY = "single_label_classification"
PROBLEMS = ["regression", ONE_OF_MANY, "multi_label_classification"]
SHARDS = 3
SHORT, LONG = 64, 390
LONG_POSITIONS, WIDER = 400, 12
ACTIVATIONS = {"gelu", "gelu_new", "gelu_pytorch_tanh", "relu", "silu"}
MAY_BE_ZERO = {"max_window_layers", "type_vocab_size", "position_buckets", "max_relative_positions", "use_cache"}

# Values that mean something beside others only, or that the single ones leave out; tried with every class.
MORE = {
    "hidden_size": [32, 36, 40, 72, 96, 256], "num_attention_heads": [1, 2, 3, 6, 8], "num_hidden_layers": [1, 2, 5],
    "intermediate_size": [33, 64, 100], "head_dim": [6, 8, 12, 20, 24, 32, 44, 64, 80, 128],
    "num_key_value_heads": [1, 2, 3, 4],
    "sliding_window": [None, 2, 5, 16], "max_window_layers": [0, 1, 2], "pad_token_id": [0, 1, 5, 95],
    "layer_types": [["sliding_attention", "full_attention"], ["full_attention", "sliding_attention", "sliding_attention"],
                    ["conv", "full_attention"], ["full_attention", "conv", "conv"]],
    "rope_parameters": [
        {"rope_type": "default", "rope_theta": 1000.0, "partial_rotary_factor": 0.25},
        {"rope_type": "linear", "rope_theta": 1000.0, "factor": 2.5, "partial_rotary_factor": 0.5},
        {"rope_type": "yarn", "rope_theta": 100.0, "factor": 2.0, "original_max_position_embeddings": 20, "beta_fast": 4.0,
         "beta_slow": 0.5, "truncate": False, "partial_rotary_factor": 0.5},
        {"rope_type": "yarn", "rope_theta": 100.0, "factor": 4.0, "attention_factor": 1.2},
        {"rope_type": "yarn", "rope_theta": 100.0, "factor": 4.0, "mscale": 0.7, "mscale_all_dim": 1.0},
        {"rope_type": "llama3", "rope_theta": 100.0, "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 2.0,
         "original_max_position_embeddings": 16, "partial_rotary_factor": 0.5},
        {"rope_type": "longrope", "rope_theta": 100.0, "original_max_position_embeddings": 16, "factor": 4.0},
        {"rope_type": "longrope", "rope_theta": 100.0, "partial_rotary_factor": 0.5, "attention_factor": 1.1}],
}


def is_refused_alone(key, value, base_value):
    """What is known to be refused, whatever stands beside it: activations that are not computed, sizes of nothing."""
    if "act" in key and isinstance(value, str):
        return value not in ACTIVATIONS
    is_size = isinstance(base_value, int) and base_value > 0 and key not in MAY_BE_ZERO and not key.endswith("_id")
    return is_size and not isinstance(value, bool) and isinstance(value, int) and value < 1


def draw(candidates, count, rng):
    """`count` dictionaries of two to five settings each; `candidates` are (key, value, whether it has an effect alone)."""
    seen = set()
    weights = [1 if has_effect else 0.1 for _, _, has_effect in candidates]

    def one():
        settings = {}
        for index in rng.choices(range(len(candidates)), weights, k=rng.choice([2, 2, 3, 3, 4, 5])):
            settings.setdefault(candidates[index][0], index)
        return sorted(settings.values())

    for _ in range(count):
        drawn = max((one() for _ in range(CANDIDATES)), key=lambda c: len(set(itertools.combinations(c, 2)) - seen))
        seen |= set(itertools.combinations(drawn, 2))
        yield {candidates[index][0]: candidates[index][1] for index in drawn}


def surroundings(rng):
    """What is drawn beside the settings."""
    labels = rng.choice([1, 2, 3, 5])
    problems = [None, None, "null", *(problem for problem in PROBLEMS if labels > 1 or problem != ONE_OF_MANY)]
    return {
        "container": rng.choice(["safetensors", "safetensors", "bin", "safetensors shards", "bin shards"]),
        "dtype": rng.choice(["F32", "F16", "BF16", "mixed"]), "twice": rng.random() < 0.3, "buffers": rng.random() < 0.3,
        "keys": rng.choice(["all", "changed", "some"]), "aliases": rng.random() < 0.3, "rope": rng.choice(["new", "old", "type"]),
        "labels": [labels, rng.choice(["num_labels", "tables", "id2label", "all"])],
        "problem": rng.choice(problems),
        "architectures": rng.choices(["own", "two", "absent", "other"], [40, 2, 2, 1])[0],
        "model_max_length": rng.choice([None, None, 12, 33, 512, int(1e30)]),
        "type": rng.choice(TYPES), "long": rng.random() < 0.25,
    }


def fit(config, settings):
    """Lists get the length that the other settings ask for."""
    layers = config.get("num_hidden_layers")
    kinds = config.get("layer_types")
    if isinstance(kinds, list) and kinds and layers:
        config["layer_types"] = list(itertools.islice(itertools.cycle(kinds), layers))
        if "layer_types" not in settings and "num_hidden_layers" in settings and layers % 2:
            del config["layer_types"]
    for key in ("rope_parameters", "rope_scaling"):
        rope = config.get(key)
        if isinstance(rope, dict) and rope.get("rope_type") == "longrope":
            size = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
            half = int(size * rope.get("partial_rotary_factor", 1)) // 2
            config[key] = {**rope, "short_factor": [1 + i / 8 for i in range(half)],
                           "long_factor": [2 + 3.0 * i for i in range(half)]}


def lengthen(config, settings):
    """For texts of hundreds of tokens: more positions, wider windows."""
    for key in {"max_position_embeddings", "n_positions", "seq_length"} & set(config) - set(settings):
        config[key] = LONG_POSITIONS
    for key in ("sliding_window", "local_attention"):
        if isinstance(config.get(key), int):
            config[key] *= WIDER


def spell(rng, config, config_class, settings, around):
    """The configuration as a file has it: keys left out, null, or under the names of other versions."""
    config = copy.deepcopy(config)
    defaults = json.loads(json.dumps(config_class().to_dict()))
    if around["keys"] == "changed":
        config = {key: value for key, value in config.items()
                  if key in KEPT or key in settings or key not in defaults or defaults[key] != value}
    if around["keys"] == "some":
        may = [key for key in config if key not in KEPT and key not in settings and key in defaults
               and not (isinstance(defaults[key], int) and defaults[key] > LARGEST_DEFAULT and "position" not in key)]
        for key in rng.sample(may, min(4, len(may))):
            del config[key]
        key = rng.choice(sorted(set(config) - KEPT))
        if rng.random() < 0.15:
            config[key] = None
    rope = config.get("rope_parameters")
    if around["rope"] != "new" and isinstance(rope, dict):
        old_rope(config, rope, around["rope"])
    if around["aliases"]:
        for alias, key in config_class.attribute_map.items():
            if key in config and alias not in config and rng.random() < 0.7:
                config[alias] = config.pop(key)
    count, form = around["labels"]
    config.pop("num_labels", None)
    names = ["one", "two", "three", "four", "five"][:count]
    if form in ("num_labels", "all"):
        config["num_labels"] = count
    if form in ("tables", "id2label", "all"):
        config["id2label"] = {str(index): name for index, name in enumerate(names)}
    if form in ("tables", "all"):
        config["label2id"] = {name: index for index, name in enumerate(names)}
    if around["problem"]:
        config["problem_type"] = None if around["problem"] == "null" else around["problem"]
    own = config["architectures"][0]
    config["architectures"] = {"own": [own], "two": [own, own.replace("SequenceC", "TokenC")], "absent": None,
                               "other": [re.sub("For.*", "Model", own)]}[around["architectures"]]
    if around["architectures"] == "absent":
        del config["architectures"]
    return config


def old_rope(config, rope, spelling):
    """What releases before rope_parameters wrote."""
    if set(rope) <= {"full_attention", "sliding_attention"}:
        full, local = rope.get("full_attention"), rope.get("sliding_attention")
        if not full or not local or local.get("rope_type") != "default" or "rope_theta" not in local:
            return
        config["rope_local_base_freq"] = local["rope_theta"]
        rope = full
    rest = dict(rope)
    del config["rope_parameters"]
    for key in ("rope_theta", "partial_rotary_factor"):
        if key in rest:
            config[key] = rest.pop(key)
    if rest.get("rope_type", "default") == "default" and len(rest) < 2:
        config["rope_scaling"] = None
        return
    if spelling == "type" and "rope_type" in rest:
        rest = {"type": rest.pop("rope_type"), **rest}
    config["rope_scaling"] = rest


def write_weights(folder, rng, network, plain, around):
    """`plain` is each storage once; on the disk in the container and the types that were drawn."""
    state = dict(plain)
    if around["twice"]:
        values = {tensor.data_ptr(): plain[name] for name, tensor in network.state_dict().items() if name in plain}
        for name, tensor in network.state_dict().items():
            if name not in state and tensor.data_ptr() in values:
                state[name] = values[tensor.data_ptr()].clone()
    names = rng.sample(sorted(state), len(state))
    types = rng.choices(list(DTYPES), k=len(names)) if around["dtype"] == "mixed" else [around["dtype"]] * len(names)
    if around["twice"]:  # what is tied stays equal
        types = [types[0]] * len(names)
    state = {name: state[name].to(DTYPES[kind]) for name, kind in zip(names, types)}
    if around["buffers"]:
        ends = ("position_ids", ".inv_freq")
        state |= {name: buffer.clone() for name, buffer in network.named_buffers() if name.endswith(ends)}
    kind, *shards = around["container"].split(" ")
    stem, extension = ("model", "safetensors") if kind == "safetensors" else ("pytorch_model", "bin")

    def save(tensors, name):
        if kind == "safetensors":
            return save_file(tensors, folder / name, metadata={"format": "pt"})
        # Some as views that do not lie in order, as old checkpoints have them.
        turned = {name: tensor.t().contiguous().t() if tensor.dim() == 2 and rng.random() < 0.3 else tensor
                  for name, tensor in tensors.items()}
        # The older half of them is of before PyTorch 1.6.
        return torch.save(turned, folder / name, _use_new_zipfile_serialization=rng.random() < 0.5)

    if not shards:
        return save(state, f"{stem}.{extension}")
    index = {}
    for shard in range(SHARDS):
        part = dict(itertools.islice(state.items(), shard, None, SHARDS))
        name = f"{stem}-{shard + 1:05}-of-{SHARDS:05}.{extension}"
        save(part, name)
        index |= dict.fromkeys(part, name)
    content = {"metadata": {"total_size": 1}, "weight_map": index}
    return (folder / f"{stem}.{extension}.index.json").write_text(json.dumps(content))


def language_models(helpers, chosen):
    """Bases of the classes that are run as rerankers, with Granite and LFM2, which are no classifiers."""
    kinds = set(chosen or LANGUAGE_MODELS)
    granite = transformers.AutoConfig.for_model("granite", **{
        **golden_families.DECODER, "vocab_size": 96, "num_labels": 1, "max_position_embeddings": 64, "residual_multiplier": 0.4,
        "embedding_multiplier": 6.0, "logits_scaling": 4.0, "attention_multiplier": 0.3})
    more = [("granite", "granite", granite), *helpers.lfm2_bases()]
    return helpers.chosen_bases(kinds, transformers.AutoModelForCausalLM, more)


def logit_score(tokens):
    """sentence-transformers' files for the score of two tokens, or of one."""
    modules = ["base.modules.transformer.Transformer", "cross_encoder.modules.logit_score.LogitScore"]
    return {
        "modules.json": [{"idx": index, "name": str(index), "path": "1_LogitScore" if index else "",
                          "type": f"sentence_transformers.{name}"} for index, name in enumerate(modules)],
        "1_LogitScore/config.json": dict(zip(("true_token_id", "false_token_id"), tokens)),
        "sentence_bert_config.json": {"transformer_task": "text-generation"},
        "config_sentence_transformers.json": {"model_type": "CrossEncoder"},
    }


# Embeddings that count positions from padding by a function of their module.
COUNTING = ("EsmEmbeddings", "LukeEmbeddings")


def positions(network):
    """Tokens of the longest text; None where nothing limits it."""
    config = network.config
    most = getattr(config, "max_position_embeddings", None)
    if config.model_type == "xlnet":  # which says -1
        return None
    if getattr(config, "attention_type", None) == "block_sparse":  # up to here all attention is computed
        most = min(most, (5 + 2 * config.num_random_blocks) * config.block_size)
    if config.model_type == "ministral3" and config.rope_parameters.get("llama_4_scaling_beta"):  # queries are scaled beyond
        most = min(most, int(config.rope_parameters["original_max_position_embeddings"]))
    for name, module in network.named_modules():
        if most is not None and name.endswith("embeddings") and getattr(module, "padding_idx", None) is not None \
                and (hasattr(module, "create_position_ids_from_input_ids")
                     or type(module).__name__ in COUNTING and hasattr(module, "position_embeddings")):
            return most - module.padding_idx - 1
    return most


class Writer:
    """Writes the checkpoints of one base. `helpers` is check-configurations.py."""

    def __init__(self, helpers, config_class, model_class, base, files, rng):
        self.helpers, self.config_class, self.model_class = helpers, config_class, model_class
        self.base, self.files, self.rng = base, files, rng
        self.tokenizer = helpers.read_tokenizer(files, base)

        self.head = lambda logits: logits
        self.scores_tokens = model_class.__name__.endswith("ForCausalLM")

    def draw_tokens(self):
        """The score is made of the last token's logits."""
        positive, negative = self.rng.sample(range(96), 2)
        negative = self.rng.choice([negative, negative, None])
        self.head = lambda logits: logits[-1, positive, None] - (0 if negative is None else logits[-1, negative])
        return [positive, negative]

    def network(self, config):
        """Of the configuration `config`, with weights."""
        config_object = self.config_class.from_dict(copy.deepcopy(config))
        config_object._attn_implementation = "eager"
        network = self.model_class(config_object).float().eval()
        network.load_state_dict(self.helpers.weights(network), strict=False)
        return network

    def candidates(self):
        """Every value that transformers runs alone, and whether it makes a difference."""
        encode = self.tokenizer.encode
        plain = self.helpers.run(self.network(self.base), encode, self.helpers.ITEMS[-1])
        found = []
        values = lambda key, value: [*self.helpers.values(key, value), *MORE.get(key, [])]  # noqa: E731
        for key, value in self.helpers.settings(self.config_class(), self.base, values):
            changed = {**self.base, key: value}
            if is_refused_alone(key, value, self.base.get(self.config_class.attribute_map.get(key, key))):
                continue
            try:
                fit(changed, {key})
                logits = self.helpers.run(self.network(changed), encode, self.helpers.ITEMS[-1])
            except Exception:  # noqa: BLE001 - not a value that can be
                continue
            if key != "num_labels":
                found.append((key, value, logits != plain))
        return found

    def write(self, folder, settings):
        """What the other script compares with, or why there is nothing."""
        rng = self.rng
        attributes = self.config_class.attribute_map
        replaced = {attributes.get(key, key) for key in settings} if rng.random() < 0.9 else ()
        changed = {key: value for key, value in self.base.items() if key not in replaced} | copy.deepcopy(settings)
        folder.mkdir(parents=True)
        around = surroundings(rng)
        try:
            if around["long"]:
                lengthen(changed, settings)
            fit(changed, settings)
            spelled = spell(rng, changed, self.config_class, settings, around)
            (folder / "config.json").write_text(json.dumps(spelled))
            read = transformers.AutoConfig.from_pretrained(folder)
            read._attn_implementation = "eager"
            network = self.model_class(read).float().eval()
            write_weights(folder, rng, network, self.helpers.weights(network), around)
            network, loaded = self.model_class.from_pretrained(
                folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True)
            if loaded["missing_keys"] or loaded["mismatched_keys"]:
                raise ValueError(f"without values: {sorted(loaded['missing_keys'])}")
            if self.scores_tokens:
                around["tokens"] = self.draw_tokens()
            cases = self.run(network.eval(), around)
        except Exception as error:  # noqa: BLE001 - whatever it is, there is nothing to compare
            return {"rows": None, "error": f"{type(error).__name__}: {error}"[:300], "around": around}
        tokenizer_config = dict(self.files["tokenizer_config.json"])
        if around["model_max_length"] is not None:
            tokenizer_config["model_max_length"] = around["model_max_length"]
        files = {**self.files, "tokenizer_config.json": tokenizer_config, **(logit_score(around["tokens"]) if self.scores_tokens else {})}
        for name, content in files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(json.dumps(content))
        return {**cases, "error": None, "around": around, "type": around["type"]}

    def run(self, network, around):
        tokenizer = self.tokenizer
        tokenizer.no_truncation()
        limits = [limit for limit in (positions(network), around["model_max_length"]) if limit is not None]
        limit = min(limits, default=None)
        if limit is not None:
            tokenizer.enable_truncation(limit)
        longest = min(LONG if around["long"] else SHORT, limit or LONG)
        words = lambda length: " ".join(self.rng.choices(self.helpers.WORDS, k=max(1, length)))  # noqa: E731
        drawn = [self.rng.randint(2, 9), self.rng.randint(10, max(10, longest // 2))]
        # Two special tokens, which most tokenizers add.
        texts = [words(length) for length in (1, *drawn, longest - 3, longest - 2, longest + 20)]
        items = [*texts, "w3 w4 [PAD] w5 [MASK] [PAD]", [words(4), words(9)], [words(longest // 2), words(longest)]]
        rows = [self.helpers.run(network, tokenizer.encode, item, self.head) for item in items]
        tokens = [len(tokenizer.encode(*([item] if isinstance(item, str) else item)).ids) for item in items]
        if self.scores_tokens:
            return {"items": items, "rows": rows, "tokens": tokens, "named": None}
        pipeline = object.__new__(TextClassificationPipeline)
        pipeline.model = network
        scores = [row and pipeline.postprocess({"logits": torch.tensor([row])}, top_k=None) for row in rows]
        named = [row and [[entry["label"], entry["score"]] for entry in sorted(row, key=lambda e: e["label"])] for row in scores]
        return {"items": items, "rows": rows, "tokens": tokens, "named": named}


def write_all(helpers, bases, out, arguments):
    """cases.json and checkpoints of so many combinations for every base, or of fewer where the time is over."""
    found = {}
    share = arguments.seconds / len(bases)
    for kind, name, config, model_class, base in bases:
        rng = random.Random(f"{arguments.seed} {name}")
        writer = Writer(helpers, type(config), model_class, base, helpers.tokenizer_files(kind), rng)
        candidates = writer.candidates()
        ends = time.monotonic() + share
        cases = found.setdefault(kind, [])
        for settings in draw(candidates, arguments.combinations, rng):
            if time.monotonic() > ends:
                break
            folder = out / kind / f"{len(cases):04}"
            case = writer.write(folder, settings)
            label = ", ".join(f"{key} = {json.dumps(value)}" for key, value in settings.items())
            cases.append({"label": f"{name}, {label} | {json.dumps(case['around'])}", "folder": folder.name, **case})
        (out / kind).mkdir(parents=True, exist_ok=True)
        (out / kind / "cases.json").write_text(json.dumps({"cases": cases}))
        ran = sum(case["rows"] is not None for case in cases)
        print(kind, name, f"{len(candidates)} values, {len(cases)} cases, {ran} run", flush=True)
