"""Reading codes: published vectors, every form of one product, and properties of check digits and dates."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.catalog.barcodes import check_digit, expand_upc_e, gs1_date, has_valid_check_digit, read_code

TODAY = date(2026, 1, 15)
GTIN = "09521234543213"
FNC1 = "\x1d"

digits = st.text("0123456789", min_size=7, max_size=13)


@pytest.mark.parametrize(
    ("text", "symbology", "gtin"),
    [
        ("036000291452", "upc_a", "00036000291452"),
        ("0036000291452", "ean_13", "00036000291452"),
        ("00036000291452", "gtin_14", "00036000291452"),
        ("4006381333931", "ean_13", "04006381333931"),
        ("73513537", "ean_8", "00000073513537"),
        ("96385074", "ean_8", "00000096385074"),
        ("04252614", "upc_e", "00042100005264"),
        ("10614141000415", "gtin_14", "10614141000415"),
    ],
)
def test_retail_codes_are_told_apart_by_length_and_check_digit(text: str, symbology: str, gtin: str) -> None:
    code = read_code(text, TODAY)

    assert (code.symbology, code.gtin, code.valid_check_digit) == (symbology, gtin, True)
    assert code.kept == text


@pytest.mark.parametrize(
    ("text", "symbology"),
    [("036000291453", "upc_a"), ("4006381333932", "ean_13"), ("73513538", "ean_8"), ("10614141000416", "gtin_14")],
)
def test_a_wrong_check_digit_keeps_the_symbology_and_matches_as_text_only(text: str, symbology: str) -> None:
    code = read_code(text, TODAY)

    assert (code.symbology, code.gtin, code.valid_check_digit) == (symbology, None, False)
    assert code.claim == f"text {text}"


@pytest.mark.parametrize(
    "text", ["", "123", "123456789", "SKU-1", "(01)123", "(99", "]C1", "https://", "٣٦٠٠٠٢٩١", "x" * 512]
)
def test_what_follows_no_rule_is_other_text(text: str) -> None:
    code = read_code(text, TODAY)

    assert (code.symbology, code.gtin, code.valid_check_digit, dict(code.gs1)) == ("other", None, None, {})


@pytest.mark.parametrize(
    "text",
    [
        f"(01){GTIN}(17)271231(10)LOT7(21)S9",
        f"01{GTIN}1727123110LOT7{FNC1}21S9",
        f"{FNC1}01{GTIN}1727123110LOT7{FNC1}21S9",
        f"]C101{GTIN}1727123110LOT7{FNC1}21S9",
        f"]d201{GTIN}1727123110LOT7{FNC1}21S9",
        f"]Q301{GTIN}1727123110LOT7{FNC1}21S9",
        f"]e001{GTIN}1727123110LOT7{FNC1}21S9",
        f"]d2(01){GTIN}(17)271231(10)LOT7(21)S9",
        f"https://id.gs1.org/01/{GTIN}/10/LOT7/21/S9?17=271231&utm=x",
        f"https://shop.example/a/b/01/{GTIN}/10/LOT7/21/S9?17=271231",
        f"HTTPS://shop.example/gtin/{GTIN[1:]}/10/LOT7/21/S9?17=271231",
    ],
)
def test_one_item_reads_alike_in_every_form(text: str) -> None:
    code = read_code(text, TODAY)

    assert dict(code.gs1) == {"01": GTIN, "10": "LOT7", "17": "271231", "21": "S9"}
    assert (code.gtin, code.lot, code.serial, code.expiry) == (GTIN, "LOT7", "S9", date(2027, 12, 31))
    assert code.symbology == ("gs1_digital_link" if "://" in text else "gs1_elements")
    assert code.kept == GTIN
    assert code.claim == read_code(GTIN[1:], TODAY).claim


@pytest.mark.parametrize(
    "text",
    [
        "(01)0952123454321",
        f"(01){GTIN}(17)27123",
        f"(01){GTIN}(01)10614141000415",
        f"x(01){GTIN}",
        f"(01){GTIN}(10)",
        f"]C101{GTIN}05123",
        f"https://id.gs1.org/01/{GTIN}/10",
        f"https://id.gs1.org/01/{GTIN}/name/x",
        "https://id.gs1.org/00/123",
        "https://[",
        f"ftp://id.gs1.org/01/{GTIN}",
    ],
)
def test_malformed_element_strings_and_links_are_other_text(text: str) -> None:
    assert read_code(text, TODAY).symbology == "other"


def test_an_element_string_with_a_wrong_check_digit_names_no_product() -> None:
    code = read_code("(01)09521234543214(10)A", TODAY)

    assert (code.gtin, code.valid_check_digit, code.lot) == (None, False, "A")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("271231", date(2027, 12, 31)),
        ("280200", date(2028, 2, 29)),
        ("270200", date(2027, 2, 28)),
        ("261200", date(2026, 12, 31)),
        ("760101", date(2076, 1, 1)),
        ("770101", date(1977, 1, 1)),
        ("991301", None),
        ("990001", None),
        ("991300", None),
        ("270230", None),
        ("2702", None),
        ("27023x", None),
    ],
)
def test_dates_follow_the_51_49_rule_and_day_00_is_the_last(text: str, wanted: date | None) -> None:
    assert gs1_date(text, TODAY) == wanted


def test_the_century_turns_forward_near_its_end() -> None:
    assert gs1_date("020101", date(2098, 1, 1)) == date(2102, 1, 1)


@given(digits)
def test_exactly_one_last_digit_is_the_check_digit(body: str) -> None:
    valid = [last for last in "0123456789" if has_valid_check_digit(body + last)]

    assert valid == [check_digit(body)]


@given(st.text("0123456789", min_size=11, max_size=11))
def test_upc_a_its_ean_13_and_its_gtin_14_are_one_code(body: str) -> None:
    upc = body + check_digit(body)

    claims = {read_code(text, TODAY).claim for text in (upc, f"0{upc}", f"00{upc}")}

    assert claims == {f"gtin 00{upc}"}


@given(st.text("0123456789", min_size=12, max_size=13), st.integers(0, 11))
def test_changing_any_one_digit_is_noticed(body: str, place: int) -> None:
    code = body + check_digit(body)
    changed = str((int(code[place]) + 1) % 10)

    assert not has_valid_check_digit(code[:place] + changed + code[place + 1 :])


@given(st.sampled_from("01"), st.text("0123456789", min_size=6, max_size=6))
def test_every_upc_e_expands_to_twelve_digits_that_keep_its_system(system: str, body: str) -> None:
    expanded = expand_upc_e(f"{system}{body}0")

    assert expanded is not None
    assert (len(expanded), expanded[0]) == (12, system)


@given(st.text(max_size=60))
def test_reading_never_fails_and_keeps_the_text(text: str) -> None:
    assert read_code(text, TODAY).text == text


_LOTS = st.text("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789-", min_size=1, max_size=20)
_DAYS = st.dates(date(2000, 1, 1), date(2070, 12, 31)).map(lambda day: day.strftime("%y%m%d"))


@given(st.text("0123456789", min_size=13, max_size=13), _LOTS, _DAYS, st.integers(0, 99_999_999))
def test_an_item_with_lot_day_and_count_reads_alike_with_brackets_separators_and_as_a_link(
    body: str, lot: str, day: str, count: int
) -> None:
    gtin = body + check_digit(body)
    forms = (
        f"(01){gtin}(17){day}(10){lot}(30){count}",
        f"]C101{gtin}17{day}10{lot}\x1d30{count}",
        f"\x1d01{gtin}17{day}30{count}\x1d10{lot}",
        f"https://example.com/some/01/{gtin}/10/{lot}?17={day}&30={count}",
    )

    read = [read_code(form, date(2026, 1, 15)) for form in forms]

    assert {(code.gtin, code.lot, code.gs1["30"], code.expiry, code.kept) for code in read} == {
        (gtin, lot, str(count), gs1_date(day, date(2026, 1, 15)), gtin)
    }


@given(_LOTS, _DAYS)
def test_control_without_its_separator_a_lot_swallows_what_follows(lot: str, day: str) -> None:
    read = read_code("]C10100036000291452" + f"10{lot}17{day}", date(2026, 1, 15))

    assert read.expiry is None
