"""The currencies of ISO 4217 and how many decimals each one's minor unit has.

A table and one look-up. Codes without a minor unit (gold, SDR, testing) are left out: nobody can
owe them in whole units. Codes that were withdrawn lately stay, since people's old exports still
name them. Source: ISO 4217 list one, published 2026-01-01, and list three (historic codes).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from clearsplit_core.errors import UnknownCurrency

_NO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_TWO_DECIMALS = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF
    CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD
    GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL
    MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR
    PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP
    TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG
"""
_THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"
_FOUR_DECIMALS = "CLF UYW"
_WITHDRAWN_TWO_DECIMALS = "ANG BGN CUC HRK SLL ZWL"

WITHDRAWN: Final = frozenset(_WITHDRAWN_TWO_DECIMALS.split())
"""Codes that are no longer in ISO 4217 list one and are still read from old files."""

DECIMALS: Final[Mapping[str, int]] = MappingProxyType(
    dict.fromkeys(_NO_DECIMALS.split(), 0)
    | dict.fromkeys(_TWO_DECIMALS.split(), 2)
    | dict.fromkeys(_THREE_DECIMALS.split(), 3)
    | dict.fromkeys(_FOUR_DECIMALS.split(), 4)
    | dict.fromkeys(WITHDRAWN, 2)
)
"""Decimals of the minor unit by currency code: JPY 0, EUR 2, KWD 3, CLF 4."""


def decimals(currency: str, *, field: str = "/currency") -> int:
    """The number of decimals of `currency`'s minor unit.

    Raises UnknownCurrency for anything but an upper-case ISO 4217 code.
    """
    if currency not in DECIMALS:
        raise UnknownCurrency(field=field)
    return DECIMALS[currency]
