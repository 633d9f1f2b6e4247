from testbed.sandbox import operators


def test_operators_may_read_what_the_doctor_needs_and_do_nothing_else() -> None:
    role, *bindings = operators.rights("registry")
    assert {resource for rule in role["rules"] for resource in rule["resources"]} == {
        "secrets",
        "roles",
        "rolebindings",
        "targetgroupbindings",
        "httproutes",
        "tlsroutes",
    }
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"get"}
    assert [binding["roleRef"]["name"] for binding in bindings] == ["view", role["metadata"]["name"]]
    assert {one["metadata"]["namespace"] for one in (role, *bindings)} == {"registry"}
