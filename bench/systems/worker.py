"""The process of a system that runs in Python: worker.py <system>. Reads requests as JSON lines, answers likewise."""
import json
import pathlib
import sys
import time
import traceback


def milliseconds(run):
    start = time.perf_counter()
    run()
    return (time.perf_counter() - start) * 1000


class Worker:
    def __init__(self, name):
        self.name = name
        self.model = None

    def load(self, request):
        def load():
            if self.name == "pytorch" and (pathlib.Path(request["folder"]) / "modules.json").exists():
                from late_interaction import Model
            elif self.name == "pytorch":
                from pytorch import Model
            else:
                from ort import Model
            device = {} if request["device"] == "cpu" else {"device": request["device"]}
            self.model = Model(request["folder"], request["type"], request["threads"], request["batch"], **device)

        ms = milliseconds(load)
        return {"ms": ms, "version": self.model.version}

    def logits(self, request):
        inputs = request["inputs"]
        pairs = [each["textPair"] for each in inputs] if "textPair" in inputs[0] else None
        return {"rows": self.model.logits([each["text"] for each in inputs], pairs).tolist()}

    def time(self, request):
        if request["task"] == "rank":
            query, documents = request["query"], request["documents"]
            run = lambda: self.model.logits([query] * len(documents), documents)[:, 0].argsort()[::-1].tolist()
        else:
            run = lambda: self.model.logits(request["texts"], None).tolist()
        answer = {"ms": [], "cpuMs": []}
        for _ in range(request["calls"]):
            before = time.process_time()
            answer["ms"].append(milliseconds(run))
            answer["cpuMs"].append((time.process_time() - before) * 1000)
        return answer


def main():
    worker = Worker(sys.argv[1])
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(worker, request["op"])(request)
        except Exception:
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
