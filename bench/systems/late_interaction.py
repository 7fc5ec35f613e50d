"""sentence-transformers' MultiVectorEncoder on PyTorch, for the models that are one."""
import torch
from pytorch import TYPES
from sentence_transformers import MultiVectorEncoder, __version__


class Model:
    def __init__(self, folder, dtype, threads, batch_size, device="cpu"):
        torch.set_num_threads(threads)
        torch.set_num_interop_threads(1)
        self.version = f"{torch.__version__}, sentence-transformers {__version__}"
        self.batch_size = batch_size
        # PyTorch's word for what SYCL runs on.
        device = device.replace("sycl", "xpu")
        self.model = MultiVectorEncoder(folder, device=device, model_kwargs={"dtype": TYPES[dtype]})

    def logits(self, queries, documents):
        """Each query is encoded once, as whoever ranks does it."""
        unique = list(dict.fromkeys(queries))
        encoded = dict(zip(unique, self.model.encode_query(unique, batch_size=self.batch_size)))
        vectors = self.model.encode_document(documents, batch_size=self.batch_size)
        scores = self.model.similarity_pairwise([encoded[query] for query in queries], vectors)
        return scores.float().cpu().numpy().reshape(-1, 1)
