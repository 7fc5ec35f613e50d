#!/usr/bin/env python3
"""Makes test/fixtures/formats: tiny classifiers in every weight format, their logits, and odd and hostile files.

Versions that made the committed files: torch 2.13.0 (CPU), transformers 5.18.0, safetensors 0.8.0, h5py 3.16.0,
numpy 2.4.6, onnx 1.23.1, onnxscript 0.7.2. The .h5 files (gzipped) have the layout that Keras 2 and the TensorFlow models of transformers 4 wrote.
Every run gives the same files but for *legacy.bin, odd.h5 and virtual.h5, in which the libraries leave memory addresses
and unused bytes. The *legacy.bin have the layout of before PyTorch 1.6, which torch still writes on request.
"""
import gzip
import json
import shutil
from collections import OrderedDict
from pathlib import Path

import h5py
import numpy
import onnx
import torch
import transformers
from safetensors.torch import save_file

OUT = Path(__file__).resolve().parent.parent / "test/fixtures/formats"

NEWSGROUPS = """alt.atheism comp.graphics comp.os.ms-windows.misc comp.sys.ibm.pc.hardware comp.sys.mac.hardware
comp.windows.x misc.forsale rec.autos rec.motorcycles rec.sport.baseball rec.sport.hockey sci.crypt sci.electronics
sci.med sci.space soc.religion.christian talk.politics.guns talk.politics.mideast talk.politics.misc
talk.religion.misc""".split()

WORDS = """the a space rocket orbit launch god car engine bike ball game puck key chip doctor pain window mouse file
sale price gun peace moon ##s ##ing ##ed ##er un ##able , . ! ? ' - 1 9 ##0 new of in is""".split()
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]

TEXTS = [
    "The rocket reached orbit.",
    "a new engine is in the car!",
    "bikes , cars , chips - 1990",
    "Doctor, the pain is in the mouse",
    "puck games ? unlaunchable balls",
    "",
    " ",
    "ROCKET Rocket röcket",
    "the key of the file 'window' is for sale",
    "[MASK] the moon [SEP] launching",
    "日本 moon 🚀 peace",
    "god of guns " * 20,
]

H, F, LAYERS, HEADS, POSITIONS = 8, 12, 2, 2, 32

FAMILIES = {
    "bert": dict(
        model_type="bert", hidden_size=H, intermediate_size=F, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
        max_position_embeddings=POSITIONS, type_vocab_size=2,
    ),
    "distilbert": dict(
        model_type="distilbert", dim=H, hidden_dim=F, n_layers=LAYERS, n_heads=HEADS, max_position_embeddings=POSITIONS,
    ),
}
LABELS = {"bert": ["contradiction", "entailment", "neutral"], "distilbert": NEWSGROUPS}
CLASSES = {"bert": "BertForSequenceClassification", "distilbert": "DistilBertForSequenceClassification"}
KERAS_MODELS = {"bert": "tf_bert_for_sequence_classification", "distilbert": "tf_distil_bert_for_sequence_classification"}


def build(family, seed):
    torch.manual_seed(seed)
    labels = dict(enumerate(LABELS[family]))
    settings = {**FAMILIES[family], "vocab_size": len(VOCABULARY), "id2label": labels, "label2id": {v: k for k, v in labels.items()}}
    config = transformers.AutoConfig.for_model(**settings)
    network = transformers.AutoModelForSequenceClassification.from_config(config).eval()
    for name, value in network.named_parameters():
        with torch.no_grad():
            value.normal_(1.0 if "norm" in name.lower() and name.endswith("weight") else 0.0, 0.5)
    saved = {
        "architectures": [CLASSES[family]],
        **settings,
        "id2label": {str(k): v for k, v in labels.items()},
        "transformers_version": "4.30.0",
    }
    return network, saved


def write_text(folder, config, family):
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    (folder / "vocab.txt").write_text("".join(f"{word}\n" for word in VOCABULARY))
    tokenizer = {"do_lower_case": True, "model_max_length": POSITIONS}
    tokenizer["tokenizer_class"] = "BertTokenizer" if family == "bert" else "DistilBertTokenizer"
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer) + "\n")


def write_logits(folder, network):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    rows = []
    for text in TEXTS:
        with torch.inference_mode():
            inputs = tokenizer(text, truncation=True, max_length=POSITIONS, return_tensors="pt")
            rows.append([float(f"{value:.9g}") for value in network(**inputs).logits[0].tolist()])
    lines = ",\n".join(json.dumps({"text": text, "logits": row}, ensure_ascii=False) for text, row in zip(TEXTS, rows))
    (folder / "logits.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def write_bin(folder, state, family):
    old = OrderedDict(state)
    old._metadata = getattr(state, "_metadata", OrderedDict())
    if family == "bert":
        old["bert.embeddings.position_ids"] = torch.arange(POSITIONS)[None]
    torch.save(old, folder / "pytorch_model.bin")
    torch.save(old, folder / "pytorch_model.legacy.bin", _use_new_zipfile_serialization=False)
    names = list(old)
    weight_map = {}
    for shard in range(2):
        part = names[shard::2]
        file = f"pytorch_model-{shard + 1:05}-of-00002.bin"
        torch.save({name: old[name].clone() for name in part}, folder / file)
        weight_map.update({name: file for name in part})
    index = {"metadata": {"total_size": 0}, "weight_map": dict(sorted(weight_map.items()))}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index, indent=1) + "\n")


def keras_weight(family, name):
    """PyTorch name -> top-level layer and Keras weight name."""
    parts = name.split(".")
    leaf = parts.pop()
    is_norm = "norm" in parts[-1].lower()
    if parts[-1] == "word_embeddings":
        leaf = "weight"
    elif parts[-1].endswith("_embeddings"):
        leaf = "embeddings"
    elif leaf == "weight":
        leaf = "gamma" if is_norm else "kernel"
    elif is_norm:
        leaf = "beta"
    path = "/".join(parts).replace("layer/", "layer_._")
    return parts[0], f"{KERAS_MODELS[family]}/{path}/{leaf}:0"


def write_h5(path, state, family, chunked=False, split_heads=False, libver="earliest", rename=lambda name: name):
    weights = {}
    for name, value in state.items():
        layer, keras = keras_weight(family, name)
        value = value.numpy()
        if keras.endswith("kernel:0"):
            value = numpy.ascontiguousarray(value.T)
        if split_heads and "/attention/self/" in keras:
            value = value.reshape(*value.shape[:-1], HEADS, H // HEADS)
        if split_heads and "/attention/output/dense/kernel" in keras:
            value = value.reshape(HEADS, H // HEADS, H)
        weights.setdefault(layer, []).append((rename(keras), value))
    if family == "bert":
        order = ["bert", "dropout_37", "classifier"]
    else:
        order = ["distilbert", "pre_classifier", "classifier", "dropout_19"]
    with h5py.File(path, "w", libver=libver) as file:
        file.attrs["layer_names"] = [layer.encode() for layer in order]
        file.attrs["backend"] = b"tensorflow"
        file.attrs["keras_version"] = b"2.12.0"
        groups = sorted(order) + ([] if split_heads else ["top_level_model_weights"])
        for layer in groups:
            group = file.create_group(layer)
            group.attrs["weight_names"] = [name.encode() for name, _ in weights.get(layer, [])]
            for name, value in weights.get(layer, []):
                options = {}
                if chunked:
                    chunks = tuple(min(size, side) for size, side in zip(value.shape, (7, 5)))
                    options = dict(chunks=chunks, compression="gzip", shuffle=value.ndim == 2)
                group.create_dataset(name, data=value, **options)


def write_sharded_h5(folder, state, family):
    """As transformers 4 cut models of more than 10 GB: weights are what layers are in a whole file, by names without the model's."""
    names, weight_map = list(state), {}
    for shard in range(2):
        name_of_file = f"tf_model-{shard + 1:05}-of-00002.h5"
        with h5py.File(folder / name_of_file, "w") as file:
            layers = []
            for name in names[shard::2]:
                _, keras = keras_weight(family, name)
                value = state[name].numpy()
                layers.append(keras.split("/", 1)[1])
                file.create_dataset(layers[-1], data=numpy.ascontiguousarray(value.T) if keras.endswith("kernel:0") else value)
                weight_map[keras] = name_of_file
            file.attrs["layer_names"] = [layer.encode() for layer in sorted(layers)]
    index = {"metadata": {"total_size": 0}, "weight_map": dict(sorted(weight_map.items()))}
    (folder / "tf_model.h5.index.json").write_text(json.dumps(index, indent=1) + "\n")


def write_onnx(folder, network, family):
    """As PyTorch's older exporter writes it, whose files the Hub has, with opset 17 and 14; as the newer one does; without names
    of nodes, as before PyTorch 1.13; and with the weights in a file beside it."""
    ids = torch.tensor([[2, 5, 6, 3], [2, 7, 8, 3]])
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    if family == "bert":
        inputs["token_type_ids"] = torch.zeros_like(ids)
    options = {"input_names": list(inputs), "output_names": ["logits"]}
    axes = {name: {0: "batch", 1: "length"} for name in inputs}
    path = str(folder / "model.onnx")
    with torch.no_grad():
        opset = 17 if family == "bert" else 14
        torch.onnx.export(network, (inputs,), path, opset_version=opset, dynamic_axes=axes, dynamo=False, **options)
        if family == "distilbert":
            model = onnx.load(path)
            for node in model.graph.node:
                node.name = ""
            onnx.save(model, folder / "model.nameless.onnx")
            return
        onnx.save(onnx.load(path), folder / "model.beside.onnx", save_as_external_data=True, location="model.onnx_data",
                  size_threshold=0)
        free = {0: torch.export.Dim.AUTO, 1: torch.export.Dim.AUTO}
        torch.onnx.export(network, (), path.replace("model.", "model.newer."), kwargs=inputs, external_data=False, dynamo=True,
                          dynamic_shapes={name: free for name in inputs}, **options)
    # What the newer exporter keeps of the machine and of the source is no part of the format.
    model = onnx.load(folder / "model.newer.onnx")
    for node in model.graph.node:
        kept = [entry for entry in node.metadata_props if entry.key == "pkg.torch.onnx.name_scopes"]
        del node.metadata_props[:]
        node.metadata_props.extend(kept)
    del model.metadata_props[:], model.graph.metadata_props[:]
    for value in [*model.graph.value_info, *model.graph.input, *model.graph.output, *model.graph.initializer]:
        del value.metadata_props[:]
    onnx.save(model, folder / "model.newer.onnx")


def write_odd_torch(folder):
    """Views and types that save_pretrained never writes but torch.save may."""
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    tensors = OrderedDict(
        transposed=base.t(),
        slice=base[1:3, 2:5],
        step=base[:, ::2],
        contiguous_part=base[2:],
        scalar=torch.tensor(2.5),
        empty=torch.zeros(0, 3),
        expanded=torch.tensor([1.0, 2.0]).expand(3, 2),
        permuted=torch.arange(12, dtype=torch.float64).reshape(2, 3, 2).permute(2, 0, 1),
        half=torch.tensor([0.5, -2.0], dtype=torch.float16),
        bfloat=torch.tensor([0.5, -2.0], dtype=torch.bfloat16),
        parameter=torch.nn.Parameter(torch.tensor([1.0, -1.0])),
        i64=torch.tensor([[1, -2]]),
        i32=torch.tensor([1, -2], dtype=torch.int32),
        i16=torch.tensor([1, -2], dtype=torch.int16),
        i8=torch.tensor([1, -2], dtype=torch.int8),
        u8=torch.tensor([1, 2], dtype=torch.uint8),
        boolean=torch.tensor([True, False]),
    )
    torch.save(tensors, folder / "odd.bin")
    torch.save(tensors, folder / "odd.legacy.bin", _use_new_zipfile_serialization=False)
    expected = {}
    for name, value in tensors.items():
        expected[name] = {"dtype": str(value.dtype), "shape": list(value.shape), "values": value.flatten().tolist()}
    (folder / "odd.json").write_text(json.dumps(expected, indent=1) + "\n")
    torch.save({"epoch": 1, "state_dict": {"weight": base}}, folder / "training.bin")
    torch.save(OrderedDict(weight=base), folder / "protocol4.bin", pickle_protocol=4)
    torch.jit.script(torch.nn.Linear(2, 2)).save(str(folder / "script.bin"))


def write_odd_h5(folder):
    grid = numpy.arange(35, dtype="<f4").reshape(5, 7)
    expected = {}

    def add(group, name, value, **options):
        group.create_dataset(name, data=value, **options)
        expected[name] = {"dtype": str(value.dtype), "shape": list(value.shape), "values": value.flatten().tolist()}

    with h5py.File(folder / "odd.h5", "w") as file:
        add(file, "gzip", grid, chunks=(2, 3), compression="gzip")
        add(file, "shuffled", grid, chunks=(2, 3), shuffle=True)
        add(file, "plain_chunks", grid, chunks=(4, 4))
        add(file, "one_chunk", grid, chunks=(5, 7), compression="gzip", shuffle=True)
        add(file, "growing", grid, chunks=(3, 8), maxshape=(None, None), compression="gzip")
        add(file, "cube", numpy.arange(60, dtype="<f8").reshape(3, 4, 5), chunks=(2, 3, 2), compression="gzip")
        add(file, "many_chunks", numpy.arange(200, dtype="<f4"), chunks=(1,))
        add(file, "half", numpy.array([0.5, -2.0], dtype="<f2"))
        add(file, "i64", numpy.array([1, -2], dtype="<i8"))
        add(file, "u8", numpy.array([1, 2], dtype="u1"))
        add(file, "scalar", numpy.float32(2.5))
        add(file, "empty", numpy.zeros((0, 3), dtype="<f4"))
        space, kind = h5py.h5s.create_simple((5, 7)), h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        kind.set_layout(h5py.h5d.COMPACT)
        h5py.h5d.create(file.id, b"compact", h5py.h5t.IEEE_F32LE, space, kind).write(h5py.h5s.ALL, h5py.h5s.ALL, grid)
        expected["compact"] = {"dtype": "float32", "shape": [5, 7], "values": grid.flatten().tolist()}
        many = file.create_group("many")
        for index in range(120):
            many.create_group(f"member{index}")
        file.attrs["fixed"] = [b"ab", b"c"]
        file.attrs["variable"] = ["äb", "", "c" * 300]
        file.attrs["one"] = "x"
        file.attrs["none"] = []
        file.attrs["number"] = 7
    (folder / "odd-h5.json").write_text(json.dumps(expected) + "\n")


def write_hostile_h5(folder):
    """One file per thing that must be refused, each small and valid for libhdf5."""
    grid = numpy.arange(6, dtype="<f4").reshape(2, 3)
    (folder / "outside.raw").write_bytes(grid.tobytes())

    def external_storage(file):
        file.create_dataset("x", (2, 3), dtype="<f4", external=[("outside.raw", 0, 24)])

    def external_link(file):
        file["x"] = h5py.ExternalLink("../odd.h5", "/gzip")

    def soft_link(file):
        file.create_dataset("y", data=grid)
        file["x"] = h5py.SoftLink("/y")

    def hard_link_cycle(file):
        group = file.create_group("x")
        group["again"] = file["/"]

    def hard_link_copy(file):
        file["y"] = file.create_dataset("x", data=grid)

    def virtual(file):
        layout = h5py.VirtualLayout((2, 3), "<f4")
        layout[:] = h5py.VirtualSource("odd.h5", "gzip", (2, 3))
        file.create_virtual_dataset("x", layout)

    def committed_type(file):
        file["t"] = numpy.dtype("<f4")
        file.create_dataset("x", (2, 3), dtype=file["t"])

    def big_endian(file):
        file.create_dataset("x", data=grid.astype(">f4"))

    def compound(file):
        file.create_dataset("x", data=numpy.zeros(2, dtype=[("a", "<f4"), ("b", "<i4")]))

    def array_type(file):
        file.create_dataset("x", (2,), dtype=numpy.dtype(("<f4", (3,))))

    def reference(file):
        file.create_dataset("x", data=file.create_dataset("y", data=grid).ref, dtype=h5py.ref_dtype)

    def text(file):
        file.create_dataset("x", data=["a", "b"], dtype=h5py.string_dtype())

    def lzf(file):
        file.create_dataset("x", data=grid, compression="lzf")

    def fletcher(file):
        file.create_dataset("x", data=grid, fletcher32=True)

    def shape_bomb(file):
        file.create_dataset("x", (2**20, 2**20), dtype="<f4")

    def chunk_bomb(file):
        file.create_dataset("x", (2**14, 2**14), dtype="<f4", chunks=(2**13, 2**13), compression="gzip")

    def missing_chunks(file):
        file.create_dataset("x", (10, 10), dtype="<f4", chunks=(5, 5))[0, 0] = 1

    def deep(file):
        file.create_dataset("/".join("a" * 20) + "/x", data=grid)

    def null_space(file):
        file["x"] = h5py.Empty("<f4")

    def user_block(file):
        file.create_dataset("x", data=grid)

    writers = [external_storage, external_link, soft_link, hard_link_cycle, hard_link_copy, virtual, committed_type]
    writers += [big_endian, compound, array_type, reference, text, lzf, fletcher, shape_bomb, chunk_bomb, missing_chunks]
    writers += [deep, null_space, user_block]
    for write in writers:
        options = {"userblock_size": 512} if write is user_block else {}
        with h5py.File(folder / f"{write.__name__.replace('_', '-')}.h5", "w", **options) as file:
            write(file)


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    for seed, family in enumerate(FAMILIES):
        folder = OUT / family
        folder.mkdir(parents=True)
        network, config = build(family, seed + 1)
        state = network.state_dict()
        write_text(folder, config, family)
        write_logits(folder, network)
        save_file({name: value.contiguous() for name, value in state.items()}, folder / "model.safetensors", {"format": "pt"})
        write_bin(folder, state, family)
        write_h5(folder / "tf_model.h5", state, family)
        write_h5(folder / "tf_model.chunked.h5", state, family, chunked=True)
        write_sharded_h5(folder, state, family)
        write_onnx(folder, network, family)
        if family == "bert":
            write_h5(folder / "tf_model.split-heads.h5", state, family, split_heads=True)
        else:
            write_h5(folder / "tf_model.latest.h5", state, family, libver=("v108", "v108"))
    odd = OUT / "odd"
    odd.mkdir()
    write_odd_torch(odd)
    write_odd_h5(odd)
    hostile = OUT / "hostile-h5"
    hostile.mkdir()
    write_hostile_h5(hostile)
    # Most of an HDF5 or ONNX file this small is empty space and names.
    for path in sorted([*OUT.rglob("*.h5"), *OUT.rglob("*.onnx")]):
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
        path.unlink()
    sizes = {path.relative_to(OUT): path.stat().st_size for path in sorted(OUT.rglob("*")) if path.is_file()}
    for path, size in sizes.items():
        print(f"{size:8} {path}")
    print(f"{sum(sizes.values()):8} in all")


if __name__ == "__main__":
    main()
