"""Set before NumPy is loaded: many small matrix products, where threads of one product only wait for each other."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
from hypothesis import HealthCheck, settings

# the same examples in every run, however slow the machine: whether one lands is not left to chance
# (tests/fuzz.py is what searches at random)
settings.register_profile("suite", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


# what takes long, and what is shown by shorter tests as well, or by committed outputs that others compare
LONG = (
    "test_jax_equals_python_and_differentiates",
    "test_tanh_at_criticality",
    "test_tanh_below_criticality",
    "test_gelu_off_criticality",
    "test_pulls_follow_a_unit_normal[3-tanh]",
    "test_scale_invariance[gelu-1.98305826]",
    "test_six_slots[R3]",
    "test_help_has_a_working_example[critical]",
    "test_the_critical_figure_is_reproduced",
    "test_the_committed_closure_of_order_two_compiles_to_twelve_pages",
    "test_exact_moments_of_a_polynomial_network[2]",
    "test_polynomial_exponents[gelu]",
    "test_p_values_are_uniform",
    "test_six_slots[R1R1R1]",
    "test_six_slots[R1R2]",
    "test_a_straightforward_solver_agrees[4-2-36]",
    "test_higher_corrections_of_the_means_at_layer_four[3-Theta]",
    "test_json_after_the_schema[tanh]",
    "test_c_survives_random_calls_under_sanitizers",
    "test_the_c_program_is_clean_under_valgrind",
    "test_sampled_derivative_tensors_agree_with_the_recursions",
    "test_tensors_against_exact_moments[graph]",
    "test_tensors_against_exact_moments[flatten]",
    "test_a_minute_of_fuzzing_would_find_nothing",
    "test_fragments_compile_in_papers[amsart]",
    "test_fragments_compile_in_papers[elsarticle]",
    "test_fragments_compile_in_papers[icml]",
    "test_linear_network_at_order_two",
    "test_equal_samples_may_be_one_slot[target1-3]",
    "test_no_bias_at_small_widths[widths2]",
    "test_sampled_derivative_tensors_of_mixed_layers",
    "test_a_reader_that_closes_early[train]",
    "test_steps_alone_are_exact_on_fractions[Theta@2]",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is marked ``long``, or listed so, is for tests/run --all."""
    if not os.environ.get("NTKFEYN_ALL"):
        for item in items:
            if item.get_closest_marker("long") or item.name in LONG:
                item.add_marker(pytest.mark.skip(reason="long: tests/run --all"))
