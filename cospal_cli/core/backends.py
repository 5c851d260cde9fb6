"""Every back end by name, as ``name -> "module:attribute"``: adding one is one line here.

Nothing is imported until a back end is opened, so choices, help texts and docs may read these
tables at no cost.
"""

from __future__ import annotations

DETECTORS = {
    "grounding-dino": "cospal_cli.detect.dino.grounding_dino:GroundingDino",
    "grounding-dino-onnx": "cospal_cli.detect.dino.onnx:ExportedGroundingDino",
    "groundingdino-py": "cospal_cli.detect.dino.grounding_dino:GroundingDino",  # its name in 0.1
    "nanodet": "cospal_cli.detect.nanodet:NanoDet",
    "file": "cospal_cli.detect.from_file:FromFile",
}
TRACKERS = {
    "bytetrack": "cospal_cli.track.bytetrack:ByteTracker",
    "botsort": "cospal_cli.track.botsort:BotSort",
}
TEXT_ENCODERS = {
    "minilm": "cospal_cli.language.encoders.minilm:open_minilm",
    "bert": "cospal_cli.language.encoders.bert:BertEncoder",
}
VIDEO_ENCODERS = {
    "embedded": "cospal_cli.features.embedded_clips:EmbeddedClips",
    "none": "cospal_cli.features.no_clips:NoClips",
    "i3d": "cospal_cli.features.i3d:I3DClips",
    "videomae": "cospal_cli.features.video_transformers:VideoTransformer",
    "timesformer": "cospal_cli.features.video_transformers:VideoTransformer",
    "vjepa2": "cospal_cli.features.video_transformers:VideoTransformer",
}
TRAINED = {  # the methods that need a checkpoint
    "cospal": "cospal_cli.ranking.cospal:rank",
    "combined": "cospal_cli.ranking.combined:rank",
}
METHODS = {
    "zero-shot": "cospal_cli.ranking.zero_shot:rank",
    "w-gdino": "cospal_cli.ranking.w_gdino:rank",
    **TRAINED,
    "largest": "cospal_cli.ranking.baselines:largest",
    "random": "cospal_cli.ranking.baselines:random",
    "random-segment": "cospal_cli.ranking.baselines:random_segment",
}
RUNTIMES = {
    "torch": "cospal_cli.runtime.torch:TorchRuntime",
    "onnx": "cospal_cli.runtime.onnx:OnnxRuntime",
    "tensorrt": "cospal_cli.runtime.tensorrt:TensorRTRuntime",
}
FORMATS = {  # of data sets
    "hcstvg": "cospal_cli.datasets.hcstvg:V1",
    "hcstvg-v2": "cospal_cli.datasets.hcstvg:V2",
    "vidstg": "cospal_cli.datasets.vidstg:VIDSTG",
}
ENGINES = {  # who works on many videos
    "serial": "cospal_cli.library.engines.serial:Serial",
    "processes": "cospal_cli.library.engines.processes:Processes",
    "ray": "cospal_cli.library.engines.ray:RayActors",
}
OUTPUTS = {  # of tubes, beside their own JSON
    "cvat": "cospal_cli.outputs.cvat:Cvat",
    "label-studio": "cospal_cli.outputs.label_studio:LabelStudio",
    "mot": "cospal_cli.outputs.mot:Mot",
    "tao": "cospal_cli.outputs.coco:Tao",
    "coco": "cospal_cli.outputs.coco:Coco",
    "vtt": "cospal_cli.outputs.subtitles:Vtt",
    "srt": "cospal_cli.outputs.subtitles:Srt",
    "otio": "cospal_cli.outputs.markers:Otio",
    "edl": "cospal_cli.outputs.markers:Edl",
    "csv": "cospal_cli.outputs.csv:Csv",
    "hcstvg": "cospal_cli.outputs.hcstvg:HcStvg",
    "vidstg": "cospal_cli.outputs.vidstg:VidStg",
}
