module grpc_go_client

go 1.24

require google.golang.org/grpc v1.84.0
