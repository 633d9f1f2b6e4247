module ecr-frontdoor/layer-server

go 1.26.8
