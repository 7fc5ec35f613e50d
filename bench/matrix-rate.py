#!/usr/bin/env python3
"""What a device's matrix units reach: TFLOP/s of square products in each type, the best of many.
Usage: matrix-rate.py [cuda | xpu | cpu]
"""
import sys
import time

import torch

RUNS = 20


def wait(device):
    if device != "cpu":
        getattr(torch, device).synchronize()


def rate(device, dtype, size):
    a = torch.randn(size, size, device=device).to(dtype)
    b = torch.randn(size, size, device=device).to(dtype)
    best = float("inf")
    for _ in range(RUNS):
        wait(device)
        start = time.perf_counter()
        a @ b
        wait(device)
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best / 1e12


def main():
    device = sys.argv[1] if len(sys.argv) > 1 else "cuda"
    size = 1024 if device == "cpu" else 8192
    for tf32 in (False, True) if device == "cuda" else (False,):
        torch.backends.cuda.matmul.allow_tf32 = tf32
        print(f"f32{' in tf32' if tf32 else ''}: {rate(device, torch.float32, size):.2f} TFLOP/s")
    for dtype in (torch.float16, torch.bfloat16):
        print(f"{dtype}: {rate(device, dtype, size):.2f} TFLOP/s")


if __name__ == "__main__":
    main()
