"""Checks ONNX files with the checker of the onnx package, shape inference included: check_onnx.py FILE..."""
import sys

import onnx

for path in sys.argv[1:]:
    model = onnx.load(path)
    if model.opset_import[0].version > onnx.defs.onnx_opset_version():
        print(f"{path}: not checked, this onnx package knows operators up to version {onnx.defs.onnx_opset_version()}")
        continue
    try:
        onnx.checker.check_model(model, full_check=True)
        inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
        print(f"{path}: ok, {len(model.graph.node)} nodes, {len(inferred.graph.value_info)} shapes")
    except Exception as error:
        print(f"{path}: {error}")
        sys.exit(1)
