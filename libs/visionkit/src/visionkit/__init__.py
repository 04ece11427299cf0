"""What climbmate's model services share: photo decoding, masks and ONNX Runtime sessions.

Import the modules, not the package: `header` and `codec` turn bytes into pixels, `masks` handles outlines,
`session` runs networks and `manifest` says which files they are.
"""
