"""Find a cyclist in the example clip: python examples/ground_clip.py"""

from pathlib import Path

from cospal_cli import ground

clip = Path(__file__).with_name("bikes.mp4")
for tube in ground(clip, "the cyclist with the helmet"):
    print(f"{tube.label}, {tube.span_s[0]:.2f} to {tube.span_s[1]:.2f} s, score {tube.score:.2f}")
    print(f"first box, in pixels: {tube.boxes_xyxy[0].round(1).tolist()}")
