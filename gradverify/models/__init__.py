"""What can be audited without verifying it: networks in a spec, ONNX models, torch modules. None imports another."""
