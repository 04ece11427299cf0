"""The gateway: takes photos over HTTP and gRPC, asks the model services, and answers with holds, colors and problems."""
