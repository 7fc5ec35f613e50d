"""What both Python peers share: sort by length, run padded batches, restore the order."""
import numpy


def run_in_batches(encoded, names, batch_size, forward):
    """encoded: {name: lists of ids}, one list per text; forward: {name: i64[B, T]} -> f32[B, L]. Gives f32[texts, L]."""
    ids = encoded["input_ids"]
    order = sorted(range(len(ids)), key=lambda index: -len(ids[index]))
    logits = None
    for start in range(0, len(order), batch_size):
        batch = order[start:start + batch_size]
        longest = len(ids[batch[0]])
        inputs = {name: numpy.zeros((len(batch), longest), numpy.int64) for name in names}
        for name, padded in inputs.items():
            for row, index in zip(padded, batch):
                row[:len(ids[index])] = encoded[name][index]
        rows = forward(inputs)
        if logits is None:
            logits = numpy.empty((len(ids), rows.shape[1]), numpy.float32)
        logits[batch] = rows
    return logits
