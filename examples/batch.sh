#!/usr/bin/env bash
# Many videos from the shell: examples/batch.sh [FOLDER [OUT]]
# Uses $COSPAL (default: cospal). Each line stands for itself; tests run this file.
set -euo pipefail
videos=${1:-examples}
out=${2:-results}
read -ra cospal <<<"${COSPAL:-cospal}"
sentence="the cyclist with the helmet"

# A folder; what is ready stays as it is when the line is run again, also after a crash.
"${cospal[@]}" ground "$videos" "$sentence" -o "$out/folder" --no-video --skip-existing

# Any names that find finds, spaces and line ends in them too.
find "$videos" -name '*.mp4' -print0 |
    "${cospal[@]}" ground -0 --files-from - "$sentence" -o "$out/found" --no-video --quiet

# A table: one row a sentence.
{
    echo "video,query,id"
    for video in "$videos"/*.mp4; do echo "\"$PWD/$video\",\"$sentence, on the left\",left"; done
} >"$out/jobs.csv"
"${cospal[@]}" ground --manifest "$out/jobs.csv" -o "$out/table" --no-video --quiet

# JSON on stdout, one line a result, in the order of the inputs.
"${cospal[@]}" ground "$videos/*.mp4" -q "$sentence" --json --quiet | wc -l

# A part of a whole: on a cluster, i is the number of the task.
for i in 1 2; do
    "${cospal[@]}" ground "$videos" "$sentence" -o "$out/parts" --no-video --quiet --shard "$i/2"
done
