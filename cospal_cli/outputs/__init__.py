"""What is written about a result. Each format is one module; nothing is imported early."""

# name -> "module:function" taking (path, document of tube_json.document)
FORMATS = {"tube": "cospal_cli.outputs.tube_json:write"}
