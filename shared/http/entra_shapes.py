"""Entra's custom authentication extensions: the shapes of their calls and of the answers that they understand."""

from typing import Annotated, Literal

from pydantic import Field

from shared.http.hook_shapes import Guid, NamedIdentity, ObjectId, Told
from shared.http.schemas import Shape, is_none


class ServicePrincipal(Told):
    """The application that somebody signs in to."""

    app_id: Guid


class User(Told):
    """Whoever signs in, as the directory knows them."""

    id: ObjectId
    display_name: str | None = Field(default=None, examples=["Ada Byron"])
    mail: str | None = Field(default=None, examples=["ada@contoso.test"])
    user_principal_name: str | None = Field(default=None, examples=["ada@contoso.test"])
    user_type: str | None = Field(default=None, examples=["Member"])
    identities: tuple[NamedIdentity, ...] = ()


class AuthenticationContext(Told):
    """The sign-in that this is about."""

    correlation_id: Guid
    client_service_principal: ServicePrincipal


class SigningIn(AuthenticationContext):
    """A sign-in of somebody who has an account."""

    user: User


class CalloutData(Told):
    """Which extension of which directory calls."""

    tenant_id: str = Field(examples=["c0000000-0000-4000-8000-000000000001"])
    custom_authentication_extension_id: Guid


class Callout(Told):
    """What all events have in common; `data` says the rest."""

    source: str = Field(
        examples=["/tenants/c0000000-0000-4000-8000-000000000001/applications/a0000000-0000-4000-8000-000000000011"]
    )


class TokenIssuanceStartData(CalloutData):
    """A token is about to be issued."""

    kind: Annotated[
        Literal["microsoft.graph.onTokenIssuanceStartCalloutData"],
        Field(alias="@odata.type"),
    ]
    authentication_context: SigningIn


class TokenIssuanceStart(Callout):
    """A token is about to be issued, and can have claims."""

    type: Literal["microsoft.graph.authenticationEvent.tokenIssuanceStart"]
    data: TokenIssuanceStartData


class UserSignUpInfo(Told):
    """Somebody who wants to have an account."""

    identities: tuple[NamedIdentity, ...] = ()


class AttributeCollectionSubmitData(CalloutData):
    """Somebody has sent the sign-up form."""

    kind: Annotated[
        Literal["microsoft.graph.onAttributeCollectionSubmitCalloutData"],
        Field(alias="@odata.type"),
    ]
    authentication_context: AuthenticationContext
    user_sign_up_info: UserSignUpInfo


class AttributeCollectionSubmit(Callout):
    """Somebody has sent the sign-up form, and can be turned away."""

    type: Literal["microsoft.graph.authenticationEvent.attributeCollectionSubmit"]
    data: AttributeCollectionSubmitData


class Claims(Shape):
    """
    What front ends may show; it gives no rights.

    `loomeRoles` are `tenant:role`, as many as there is room for.
    """

    loome_status: Literal["active", "none", "unknown"]
    loome_roles: list[str] | None = Field(default=None, examples=[["acme:consumer"]], exclude_if=is_none)
    loome_roles_cut: Literal["true"] | None = Field(default=None, exclude_if=is_none)
    loome_version: str | None = Field(default=None, examples=["9f2c1ab47d03e856"], exclude_if=is_none)


class ProvideClaims(Shape):
    """Put these claims into the token."""

    kind: Annotated[Literal["microsoft.graph.tokenIssuanceStart.provideClaimsForToken"], Field(alias="@odata.type")] = (
        "microsoft.graph.tokenIssuanceStart.provideClaimsForToken"
    )
    claims: Claims


class TokenIssuanceStartAnswerData(Shape):
    """The one action that is to be taken."""

    kind: Annotated[Literal["microsoft.graph.onTokenIssuanceStartResponseData"], Field(alias="@odata.type")] = (
        "microsoft.graph.onTokenIssuanceStartResponseData"
    )
    actions: list[ProvideClaims]


class TokenIssuanceStartAnswer(Shape):
    """The claims for the token."""

    data: TokenIssuanceStartAnswerData


class Continue(Shape):
    """Let the sign-up go on."""

    kind: Annotated[
        Literal["microsoft.graph.attributeCollectionSubmit.continueWithDefaultBehavior"], Field(alias="@odata.type")
    ] = "microsoft.graph.attributeCollectionSubmit.continueWithDefaultBehavior"


class ShowBlockPage(Shape):
    """End the sign-up, and say why."""

    kind: Annotated[Literal["microsoft.graph.attributeCollectionSubmit.showBlockPage"], Field(alias="@odata.type")] = (
        "microsoft.graph.attributeCollectionSubmit.showBlockPage"
    )
    title: str = Field(default="Invitation needed", examples=["Invitation needed"])
    message: str = Field(examples=["You need an invitation to sign up."])


class AttributeCollectionSubmitAnswerData(Shape):
    """The one action that is to be taken."""

    kind: Annotated[Literal["microsoft.graph.onAttributeCollectionSubmitResponseData"], Field(alias="@odata.type")] = (
        "microsoft.graph.onAttributeCollectionSubmitResponseData"
    )
    actions: list[Continue | ShowBlockPage]


class AttributeCollectionSubmitAnswer(Shape):
    """Whether the sign-up may go on."""

    data: AttributeCollectionSubmitAnswerData
