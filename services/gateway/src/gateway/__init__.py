"""The gateway: photos in over HTTP and gRPC, questions to the model services, holds, colors and problems out."""
