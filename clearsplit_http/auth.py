"""Access tokens: who is asking, as a JWT that we alone issue (RFC 9068).

The application makes no use of a token's claims beyond the account and the session; whether that
session still lives is the store's to say, at every request. Since we alone issue these tokens,
everything that we do not put into one makes it a forgery: another algorithm, a `kid`, a `crit`, a
list of audiences, a number beyond reason. PyJWT checks the signature; the rest is checked here.
"""

import re
import warnings
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal
from uuid import UUID

import jwt
import msgspec
import uuid_utils.compat
from jwt.warnings import InsecureKeyLengthWarning

from clearsplit_core.errors import SessionEnded
from clearsplit_core.ports import Caller, Clock
from clearsplit_core.records import AccountId, SessionId
from clearsplit_http.refusals import BadRequest, CredentialsMissing

TOKEN_CHARACTERS_MAX: Final = 2_048
VERIFIED_MAX: Final = 10_000
"""Verified tokens that are remembered until they expire; the longest unused is forgotten first."""

# 32 bytes are enough for every HMAC (RFC 2104 §3); PyJWT would like 64 for HS512, on stderr.
warnings.filterwarnings("ignore", category=InsecureKeyLengthWarning)

_SECOND = Annotated[int, msgspec.Meta(ge=0, le=2**40)]
_TYPE: Final = "at+jwt"
_NAME: Final = "clearsplit"

# RFC 6750 §2.1; the scheme's name is case-insensitive (RFC 9110 §11.1).
_AUTHORIZATION = re.compile(
    r"(?P<scheme>[!#$%&'*+.^_`|~0-9A-Za-z-]+)(?: +(?P<token>[A-Za-z0-9._~+/-]+=*))?"
)


class Claims(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an access token says; times are Unix seconds, `sid` is the session."""

    iss: Literal["clearsplit"]
    aud: Literal["clearsplit"]
    sub: UUID
    sid: UUID
    iat: _SECOND
    nbf: _SECOND
    exp: _SECOND
    jti: UUID

    def caller(self) -> Caller:
        return Caller(AccountId(self.sub), SessionId(self.sid))


class AccessTokens:
    """Issues access tokens with the first of its secrets, and checks them with each; the algorithm
    is always the same."""

    def __init__(
        self, secrets: Sequence[bytes], algorithm: str, lifetime: timedelta, clock: Clock
    ) -> None:
        self._secrets = secrets
        self._algorithm = algorithm
        self._clock = clock
        self._verified: OrderedDict[str, Claims] = OrderedDict()
        self.lifetime = lifetime

    def issue(self, account_id: AccountId, session_id: SessionId) -> str:
        """A token for this session, good from now on for `lifetime`."""
        now = self._clock()
        claims = Claims(
            iss=_NAME,
            aud=_NAME,
            sub=account_id,
            sid=session_id,
            iat=_seconds(now),
            nbf=_seconds(now),
            exp=_seconds(now + self.lifetime),
            jti=uuid_utils.compat.uuid7(),
        )
        content: dict[str, object] = msgspec.to_builtins(claims)
        return jwt.encode(content, self._secrets[0], self._algorithm, headers={"typ": _TYPE})

    def caller(self, token: str) -> Caller:
        """Whose access token this is. Raises SessionEnded."""
        claims = self._verified.pop(token, None) or self._checked(token)
        if not claims.nbf <= _seconds(self._clock()) < claims.exp:
            raise SessionEnded
        self._remember(token, claims)
        return claims.caller()

    def _remember(self, token: str, claims: Claims) -> None:
        """Until it expires, or until too many others were used since."""
        self._verified[token] = claims
        if len(self._verified) > VERIFIED_MAX:
            self._verified.popitem(last=False)

    def _checked(self, token: str) -> Claims:
        """The claims of a token that we issued, whatever the time."""
        if len(token) > TOKEN_CHARACTERS_MAX:
            raise SessionEnded
        for secret in self._secrets:
            with suppress(jwt.InvalidSignatureError):
                return self._claims(token, secret)
        raise SessionEnded

    def _claims(self, token: str, secret: bytes) -> Claims:
        """Raises InvalidSignatureError where another secret may fit, else SessionEnded."""
        try:
            found = jwt.decode_complete(token, secret, [self._algorithm], options=_SIGNATURE_ALONE)
            if found["header"] != {"alg": self._algorithm, "typ": _TYPE}:
                raise SessionEnded
            return msgspec.convert(found["payload"], Claims, strict=True)
        except jwt.InvalidSignatureError:
            raise
        except (jwt.PyJWTError, msgspec.ValidationError):
            raise SessionEnded from None


_SIGNATURE_ALONE: Final[jwt.types.Options] = {
    "verify_signature": True,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}


def bearer(lines: Sequence[str]) -> str:
    """The bearer token in the `Authorization` header's lines.

    Raises CredentialsMissing when there is none, also when there are other credentials (RFC 6750
    §3.1), and BadRequest when there are two or it cannot be read.
    """
    if not lines:
        raise CredentialsMissing
    found = _AUTHORIZATION.fullmatch(lines[0])
    if found and found["scheme"].lower() != "bearer" and len(lines) == 1:
        raise CredentialsMissing
    if len(lines) > 1 or not found or not found["token"]:
        raise BadRequest("Authorization is one header: Bearer and your access token.")
    return found["token"]


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
