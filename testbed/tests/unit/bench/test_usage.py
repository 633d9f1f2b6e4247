"""What processes cost."""

from testbed.bench.usage import Usage, unevictable


def test_growth_is_what_comes_after_the_first_quarter() -> None:
    assert Usage(unevictable_bytes=[10, 30, 20, 20, 25, 30, 50, 45]).growth_bytes == 20
    assert Usage(unevictable_bytes=[10]).growth_bytes == 0


def test_pages_of_files_do_not_count_against_a_limit() -> None:
    assert unevictable({"Pss": 7, "Pss_Anon": 1, "Pss_Shmem": 2, "Pss_File": 4}) == 3
