# ruff: noqa: E501 - the names of tests are as long as they are
"""Faults that other systems had, and the tests that would see them here (T04).

``pytest -k CVE-2018-8340`` runs what stands beside it, ``pytest -k CVE`` all of them: the
conftest makes each id a keyword of its tests. A path is relative to ``tests/``.
"""

from typing import Final

_BINDINGS: Final = "unit/saml/test_bindings.py"
_ISSUER: Final = "unit/saml/test_issuer.py"
_REQUESTS: Final = "unit/saml/test_requests.py"
_SIGNATURES: Final = "unit/saml/test_signatures.py"
_ROUTES: Final = "flows/test_every_route.py"
_GAPS: Final = "flows/test_security_gaps.py"
_STEPS: Final = "flows/test_steps.py"

SEEN_BY: Final[dict[str, tuple[str, ...]]] = {
    "CVE-2016-10149": ("unit/saml/test_xml.py::test_r02_r03_a_document_type_in_another_encoding_is_refused",),
    "CVE-2017-10873": ("unit/domain/test_decision.py::test_a_requested_context_only_adds",),
    "CVE-2017-11427": ("unit/saml/test_xml.py::test_cve_2017_11427_text_that_a_comment_splits_is_refused_in_metadata_too",),
    "CVE-2017-12873": ("unit/domain/test_release.py::test_cve_2017_12873_a_qualifier_of_another_provider_is_refused",),
    "CVE-2017-1000246": (f"{_ISSUER}::test_a12_cve_2017_1000246_the_provider_may_choose_among_strong_ciphers_alone",),
    "CVE-2017-1000433": ("architecture/test_rules.py::test_every_module_keeps_the_rule",),
    "CVE-2018-6520": (f"{_ROUTES}::test_l02_h04_cve_2026_49448_an_address_moves_a_login_only_where_the_table_says",),
    "CVE-2018-7644": (f"{_SIGNATURES}::test_s09_cve_2018_7644_cve_2025_48994_another_signature_algorithm_is_refused",),
    "CVE-2018-7711": (f"{_SIGNATURES}::test_r01_s11_without_a_signature_nothing_comes_back",),
    "CVE-2018-8340": ("unit/domain/test_approval.py::test_d05_cve_2018_8340_only_a_device_of_this_user_may_answer",
                      "unit/domain/test_proof.py::test_prove_refuses_steps_of_two_users"),
    "CVE-2020-5390": (f"{_SIGNATURES}::test_s05_cve_2020_5390_a_wrapped_request_is_refused",),
    "CVE-2020-12812": ("unit/services/test_check_password.py::test_any_spelling_of_the_name_is_the_same_account",),
    "CVE-2020-27978": (f"{_GAPS}::test_e06_cve_2020_27978_a_visitor_costs_one_small_row",
                       f"{_GAPS}::test_e06_x15_a_full_table_refuses_new_logins_and_serves_those_under_way"),
    "CVE-2021-3632": (f"{_STEPS}::test_a_user_without_device_is_told_only_after_the_right_password",),
    "CVE-2021-3827": (f"{_ROUTES}::test_h01_r20_cve_2021_3827_every_method_of_every_route",),
    "CVE-2022-23555": ("unit/services/test_enrol_device.py::test_a_stolen_link_alone_binds_nothing_and_its_failures_count",),
    "CVE-2022-23721": (f"{_GAPS}::test_w09_cve_2022_23721_a_look_alike_is_another_account_or_none",),
    "CVE-2022-39299": ("unit/saml/test_refusals.py::test_a14_a_refusal_is_unsigned_and_holds_a_status_alone",),
    "CVE-2023-4612": ("unit/web/test_origin.py::test_h02_cve_2023_4612_nobody_else_names_an_address",),
    "CVE-2023-6787": ("unit/services/test_finish_login.py::test_another_users_login_in_the_same_browser_takes_over_nothing",),
    "CVE-2023-28119": (f"{_BINDINGS}::test_r05_cve_2023_28119_a_bomb_costs_neither_time_nor_memory",
                       f"{_BINDINGS}::test_r06_only_one_whole_raw_stream_is_inflated"),
    "CVE-2023-45683": ("unit/saml/test_consumers.py::test_a03_cve_2023_45683_every_other_address_is_not",),
    "CVE-2024-4629": ("ports/test_races.py::test_of_200_guesses_at_once_the_first_few_are_checked",),
    "CVE-2024-10327": ("unit/domain/test_approval.py::test_d07_cve_2024_10327_anything_but_the_exact_word_means_no",),
    "CVE-2024-32868": ("unit/services/test_check_password.py::test_two_hundred_guesses_at_once_are_no_more_than_the_bound",),
    "CVE-2024-45042": (f"{_STEPS}::test_an_approval_alone_does_not_pass_a_two_step_service",),
    "CVE-2024-47070": (f"{_GAPS}::test_p03_cve_2024_47070_whatever_raises_ends_in_a_page_and_a_record",
                       "unit/web/test_origin.py::test_h02_cve_2024_47070_a_bad_value_is_ignored_and_no_exception"),
    "CVE-2025-3910": ("unit/domain/test_proof.py::test_prove_refuses_a_step_missing_or_out_of_turn",),
    "CVE-2025-25291": (f"{_SIGNATURES}::test_r01_there_is_one_parse_call_in_the_way_of_a_request",),
    "CVE-2025-25292": (f"{_SIGNATURES}::test_r01_s11_the_verified_element_itself_comes_back",),
    "CVE-2025-27773": (f"{_BINDINGS}::test_r07_r08_a_crooked_query_is_refused",),
    "CVE-2025-29775": (f"{_SIGNATURES}::test_cve_2025_29775_a_comment_in_a_digest_is_refused",),
    "CVE-2025-48994": (f"{_SIGNATURES}::test_s09_cve_2018_7644_cve_2025_48994_another_signature_algorithm_is_refused",),
    "CVE-2025-64103": ("unit/domain/test_proof.py::test_prove_refuses_a_step_missing_or_out_of_turn",),
    "CVE-2025-66567": (f"{_SIGNATURES}::test_r01_there_is_one_parse_call_in_the_way_of_a_request",),
    "CVE-2026-2603": (f"{_STEPS}::test_a_provider_that_is_gone_gets_no_assertion",
                      f"{_ROUTES}::test_r20_every_route_has_its_row"),
    "CVE-2026-3047": ("unit/services/test_finish_login.py::test_a_provider_taken_away_meanwhile_gets_nothing",),
    "CVE-2026-3055": (f"{_REQUESTS}::test_r14_leaving_out_any_optional_attribute_changes_nothing_else",),
    "CVE-2026-9794": (f"{_GAPS}::test_r17_cve_2026_9794_every_message_that_cannot_be_read_gets_the_same_page",),
    "CVE-2026-9798": ("unit/services/test_answer_approval.py::test_an_account_that_is_locked_cannot_answer",),
    "CVE-2026-16103": ("unit/services/test_ask_approval.py::test_an_account_that_is_locked_is_not_asked",),
    "CVE-2026-16443": (f"{_SIGNATURES}::test_s12_every_key_is_tried_in_any_order",),
    "CVE-2026-18089": (f"{_SIGNATURES}::test_s10_a_key_in_the_message_is_ignored",),
    "CVE-2026-18963": (f"{_GAPS}::test_p09_cve_2026_94218_cve_2026_18963_no_way_round_leaves_a_step_out",),
    "CVE-2026-19490": ("vectors/saml/test_vectors.py::test_a_vector_gets_its_verdict_on_each_binding",),
    "CVE-2026-25748": (f"{_ROUTES}::test_h08_cve_2026_25748_no_call_whatever_is_an_error_of_ours",),
    "CVE-2026-28323": (f"{_SIGNATURES}::test_s10_a_provider_without_keys_cannot_send_signatures",),
    "CVE-2026-37982": ("unit/services/test_enrol_device.py::test_an_invitation_is_taken_up_once",),
    "CVE-2026-41066": ("architecture/test_packaging.py::test_the_two_wheels_that_share_libxml2_are_pinned_exactly",),
    "CVE-2026-46490": (f"{_ISSUER}::test_a13_cve_2026_46490_what_was_written_is_read_again_and_nothing_else",),
    "CVE-2026-49448": (f"{_ROUTES}::test_l02_h04_cve_2026_49448_an_address_moves_a_login_only_where_the_table_says",
                       "unit/web/test_security.py::test_l06_cve_2026_49448_an_empty_or_wrong_token_is_refused"),
    "CVE-2026-78655": (f"{_GAPS}::test_l08_cve_2026_78655_old_cookies_bring_no_old_count_back",),
    "CVE-2026-86863": ("unit/web/test_origin.py::test_h02_no_other_header_is_read",),
    "CVE-2026-88770": (f"{_STEPS}::test_a_user_disabled_between_approval_and_finish_gets_no_assertion",),
    "CVE-2026-94218": (f"{_GAPS}::test_p09_cve_2026_94218_cve_2026_18963_no_way_round_leaves_a_step_out",),
    "CVE-2026-105211": ("flows/test_browser_guards.py::test_decoys_and_known_names_show_the_same_page",),
    "CVE-2026-107276": (f"{_GAPS}::test_l07_cve_2026_107276_fifty_finishes_at_once_are_one_assertion",
                        "ports/test_races.py::test_every_race_has_one_winner"),
    "CVE-2026-123540": ("live/test_pages.py::test_the_answer_to_the_service_holds_hostile_values_as_values",),
    "CVE-2026-123547": (f"{_REQUESTS}::test_a05_a_longer_relay_state_is_refused",),
    "GHSA-8rmm-gm28-pj8q": ("unit/saml/test_sp_metadata.py::test_a03_ghsa_8rmm_gm28_pj8q_an_unsafe_location_is_a_fault",),
    "GHSA-mq4x-r2w3-j7mr": ("unit/web/test_cookies.py::test_e09_ghsa_mq4x_r2w3_j7mr_a_cookie_that_a_sibling_host_can_set_is_not_read",),
    "GHSA-vpr3-cw3h-prw8": (f"{_ISSUER}::test_a03_an_unsafe_reply_address_is_refused_at_sending_too",),
}  # fmt: skip

# What the product does not have cannot have the fault; whoever builds it moves the line up.
CANNOT_APPLY_YET: Final = {
    "CVE-2014-3603": "no metadata is fetched",
    "CVE-2022-24761": "the server reads HTTP, not we; no corpus of smuggled requests yet",
    "CVE-2023-40178": "no single logout",
    "CVE-2026-4634": "the server reads HTTP, not we; no corpus of smuggled requests yet",
    "GHSA-h4fw-6r7f-w494": "no passkeys",
}
