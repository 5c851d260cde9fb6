#!/usr/bin/env bash
# Everything that needs an NVIDIA GPU, in one run; says what it skipped and why.
#   benchmarks/gpu.sh [OUT]            default OUT: gpu-results
# Uses $COSPAL (default: cospal), and $CHECKPOINT, $DATA where they are set: a folder of trained
# heads and the data set whose test split they are compared on. Without them heads are random.
set -uo pipefail
cd "$(dirname "$0")/.."
out=${1:-gpu-results}
cospal=${COSPAL:-cospal}
python=${PYTHON:-python3}
mkdir -p "$out"
skipped=()
failed=()

has() { "$python" -c "import importlib.util, sys; sys.exit(importlib.util.find_spec('$1') is None)"; }
skip() { skipped+=("$1: $2"); printf -- '-- skipped %s: %s\n' "$1" "$2"; }
step() { # name, command...: its output goes to OUT/name.txt
    local name=$1
    shift
    printf '== %s\n' "$name"
    if "$@" >"$out/$name.txt" 2>"$out/$name.log"; then
        cat "$out/$name.txt"
    else
        failed+=("$name: exit $?, see $out/$name.log")
        tail -n 3 "$out/$name.log"
    fi
}

gpu=no
if has torch && "$python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then gpu=yes; fi
step machine "$cospal" doctor
command -v nvidia-smi >/dev/null &&
    step nvidia nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv

heads=()
exported=$out/exported
if [ -n "${CHECKPOINT:-}" ]; then
    heads=(--checkpoint "$CHECKPOINT" --exported "$exported")
    data=()
    [ -n "${DATA:-}" ] && data=(--data "$DATA") || skip accuracy "no \$DATA to compare answers on"
    step export "$cospal" export --onnx --checkpoint "$CHECKPOINT" -o "$exported" \
        --precision fp32 --precision fp16 --precision int8 --force "${data[@]}"
    if [ $gpu = yes ] && has tensorrt; then
        step tensorrt-fp32 "$cospal" export --onnx --tensorrt --checkpoint "$CHECKPOINT" \
            -o "$out/engines" --precision fp32 "${data[@]}"
        step tensorrt-fp16 "$cospal" export --onnx --tensorrt --checkpoint "$CHECKPOINT" \
            -o "$out/engines16" --precision fp32 --precision fp16 "${data[@]}"
    else
        skip tensorrt "$(has tensorrt && echo "no GPU" || echo "TensorRT is not installed")"
    fi
else
    skip export "no \$CHECKPOINT: heads are random"
fi

if [ $gpu = yes ]; then
    step bench-export "$cospal" bench export "${heads[@]}" --gpu --compile -o "$out/bench-export.png" --json
    for precision in fp32 bf16 fp16; do
        step "bench-train-$precision" "$cospal" bench train --device cuda --precision $precision
    done
    if "$cospal" models list 2>/dev/null | grep -q 'grounding-dino-tiny.*/'; then
        for precision in fp32 fp16 bf16; do
            step "bench-ground-$precision" "$cospal" bench ground examples/bikes.mp4 \
                "the cyclist with the helmet" --detector grounding-dino --device cuda \
                --precision $precision --batches 1,2,4,8,16
        done
    else
        skip bench-ground "no weights: cospal models fetch grounding-dino-tiny"
    fi
    # One detector for all: how much of the time it runs stands in the log (-v).
    if "$cospal" models list 2>/dev/null | grep -q 'grounding-dino-tiny.*/'; then
        rm -rf "$out/batch" && mkdir -p "$out/batch/clips"
        for at in $(seq -w 20); do cp examples/bikes.mp4 "$out/batch/clips/$at.mp4"; done
        for shared in always never; do
            step "batch-$shared" "$cospal" ground "$out/batch/clips" "the cyclist with the helmet" -v \
                --no-video --detector grounding-dino --device cuda --workers 4 \
                --set engine.share_detector=$shared -o "$out/batch/$shared"
            grep -h "the detector ran" "$out/batch-$shared.log"
        done
    fi
    has pytest && step tests "$python" -m pytest -q tests/test_export_onnx.py \
        tests/test_runtime_onnx.py tests/test_runtime_tensorrt.py tests/test_torch_device.py ||
        skip tests "pytest is not installed"
else
    for name in bench-export bench-train bench-ground; do skip $name "torch finds no GPU"; done
fi

printf '\n== done; results in %s\n' "$out"
printf 'skipped: %s\n' "${skipped[@]:-nothing}"
printf 'failed:  %s\n' "${failed[@]:-nothing}"
[ ${#failed[@]} -eq 0 ]
