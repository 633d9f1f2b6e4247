module ecr-frontdoor/bench/crowd

go 1.26.7
