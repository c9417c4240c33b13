"""One school year through the Python client generated from the OpenAPI document.

    drive_year.py PROGRAM DATABASE…        DATABASE: sqlite or postgres

It is the year of README in typed calls, and an example of how a program uses the API: requests and answers are classes,
a refusal comes as a `ProblemView` whose `code` says which.
"""

from __future__ import annotations

import datetime
import sys
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from ent_client import AuthenticatedClient, Client
from ent_client.api.bordereaux import download_batch_file, list_batches, seal_batch
from ent_client.api.campagnes import (
    create_campaign, enrol_school, enrol_schools, get_campaign, import_enrolments, patch_campaign, transition_campaign,
)
from ent_client.api.conventions import (
    get_convention, get_convention_document, get_participation, issue_conventions, list_convention_transitions,
    list_conventions, transition_convention,
)
from ent_client.api.journal import list_audit_events
from ent_client.api.registre import (
    create_collectivite, create_school, get_school, import_collectivites, list_schools, patch_collectivite,
)
from ent_client.api.service import get_readiness
from ent_client.api.comptes import create_user
from ent_client.api.sessions import get_me, list_sessions, login, refresh_session, set_password
from ent_client.api.titres import (
    approve_titles, decide_small_claims, get_small_claim_decision_document, get_title, get_title_document,
    list_small_claim_decisions, list_titles, prepare_titles, transition_title,
)
from ent_client.models import (
    Address, ApproveAnswer, ApproveRequest, BatchView, CampaignAction, CampaignDetail, CampaignPatch, CampaignRequest,
    CampaignState, CampaignTransitionRequest, CampaignView, ChorusPatch, Civility, CollectiviteDetail, CollectiviteKind,
    CollectivitePatch, CollectiviteRequest, ConventionAction, ConventionState, ConventionTransitionRequest,
    ConventionView, DecideRequest, DecideSmallClaimsAnswer, DecisionState, EnrolAnswer, EnrolmentRequest, EnrolmentOrigin, EnrolmentView, EnrolRequest, FileFormat, ImportForm,
    ImportView, InvitedUserView, IssueAnswer, IssueRequest, LoginRequest, LoginView, NewUserRequest, PrepareAnswer, PrepareRequest, ProblemView, RefreshRequest,
    Representative, Role, SchoolKind, SchoolRequest, SchoolSelection, SchoolView, SealRequest, Sector, SessionView,
    SetPasswordRequest,
    SignatoryRequest, SmallClaims, SmallClaimsPolicy, Tariff, TariffUnit, TitleAction, TitleSelection, TitleState,
    TitleTransitionRequest, TitleView,
)
from ent_client.types import File, Response

from world import PASSWORD, World, email

SIRET = "21300278500011"
YEAR = "2025-2026"
SIGNED = datetime.date(2025, 7, 25)

T = TypeVar("T")


def done(response: Response, kind: type[T], status: int = 200) -> T:
    """The answer, which must be of this type and have this status."""
    assert response.status_code == status, (response.status_code, response.content)
    assert isinstance(response.parsed, kind), response.content
    return response.parsed


def refused(response: Response, status: int, code: str) -> ProblemView:
    """The refusal, which must have this status and code."""
    problem = done(response, ProblemView, status)
    assert (problem.code, problem.status) == (code, status), problem
    return problem


def logged_in(world: World, role: str) -> AuthenticatedClient:
    anonymous = Client(base_url=world.url, raise_on_unexpected_status=True)
    request = LoginRequest(email=email(role), password=PASSWORD)
    opened = done(login.sync_detailed(client=anonymous, body=request), LoginView)
    session = done(
        refresh_session.sync_detailed(client=anonymous, body=RefreshRequest(refresh_token=opened.refresh_token)),
        SessionView,
    )
    client = AuthenticatedClient(base_url=world.url, token=session.access_token, raise_on_unexpected_status=True)
    me = get_me.sync(client=client)
    assert me is not None and not isinstance(me, ProblemView) and me.role == role
    return client


def invite_a_colleague(world: World) -> None:
    """An account is made without a password: its person sets one, by a code shown once."""
    admin = logged_in(world, "admin")
    request = NewUserRequest(
        email="nouvelle@exemple.invalid", role=Role.LECTEUR, first_name="Nadia", last_name="Verdier"
    )
    invited = done(create_user.sync_detailed(client=admin, body=request), InvitedUserView, 201)
    assert invited.status == "invited" and invited.password_code.code
    anonymous = Client(base_url=world.url, raise_on_unexpected_status=True)
    weak = SetPasswordRequest(code=invited.password_code.code, new_password="Verdier-Nadia-2026")
    problem = refused(set_password.sync_detailed(client=anonymous, body=weak), 422, "invalid_value")
    assert problem.errors and problem.errors[0].code == "password_personal"
    chosen = SetPasswordRequest(code=invited.password_code.code, new_password="lune-parapluie-orge-1826")
    assert set_password.sync_detailed(client=anonymous, body=chosen).status_code == 204
    refused(set_password.sync_detailed(client=anonymous, body=chosen), 401, "password_code_invalid")
    request = LoginRequest(email="nouvelle@exemple.invalid", password="lune-parapluie-orge-1826")
    opened = done(login.sync_detailed(client=anonymous, body=request), LoginView)
    assert opened.previous_login_at is None and opened.password_set_at is not None
    nadia = AuthenticatedClient(base_url=world.url, token=opened.access_token, raise_on_unexpected_status=True)
    sessions = list_sessions.sync(client=nadia)
    assert sessions is not None and not isinstance(sessions, ProblemView)
    assert [session.current for session in sessions.data] == [True]


def register_the_commune(client: AuthenticatedClient) -> None:
    request = CollectiviteRequest(
        siret=SIRET, kind=CollectiviteKind.COMMUNE, name="Saint-Laurent-des-Arbres", insee_code="30278",
        address=Address(line1="2 place de la Mairie", postal_code="30126", city="Saint-Laurent-des-Arbres"),
        representative=Representative(
            civility=Civility.MADAME, first_name="Sylvie", last_name="BARRIEU VIGNAL", title="Maire"
        ),
        contact_email="mairie@saint-laurent-des-arbres.invalid",
    )
    created = create_collectivite.sync_detailed(client=client, body=request)
    assert done(created, CollectiviteDetail, 201).siren == "213002785"
    assert created.headers["Location"] == f"/api/v1/collectivites/{SIRET}"
    refused(create_collectivite.sync_detailed(client=client, body=request), 409, "siret_taken")

    # A modification announces the version it read; a merge patch names only what changes.
    patch = CollectivitePatch(chorus=ChorusPatch(service_code="SERVICE-ECOLES"))
    stale = patch_collectivite.sync_detailed(SIRET, client=client, body=patch, if_match='"9"')
    refused(stale, 412, "precondition_failed")
    changed = patch_collectivite.sync_detailed(SIRET, client=client, body=patch, if_match=created.headers["ETag"])
    assert done(changed, CollectiviteDetail).chorus.service_code == "SERVICE-ECOLES"

    for uai, name, kind in [
        ("0301023Z", "Ecole élémentaire Charles Odoyer", SchoolKind.ELEMENTAIRE),
        ("0301015R", "Ecole maternelle Charles Odoyer", SchoolKind.MATERNELLE),
    ]:
        school = SchoolRequest(
            uai=uai, name=name, kind=kind, sector=Sector.PUBLIC, insee_code="30278",
            commune_name="Saint-Laurent-des-Arbres",
        )
        created = done(create_school.sync_detailed(client=client, body=school), SchoolView, 201)
        assert created.payer is not None and created.payer.siret == SIRET
    wrong = refused(get_school.sync_detailed("0301023A", client=client), 422, "invalid_value")
    assert wrong.errors and wrong.errors[0].code == "uai_key"

    communes = File(payload=csv("insee;siret;nom", "30001;21300001100014;Aigaliers"), file_name="communes.csv")
    counted = import_collectivites.sync_detailed(client=client, body=ImportForm(file=communes), dry_run=True)
    assert done(counted, ImportView).created == 1


def csv(*lines: str):
    import io

    return io.BytesIO("".join(f"{line}\r\n" for line in lines).encode())


def open_the_campaign(client: AuthenticatedClient) -> None:
    request = CampaignRequest(
        school_year=YEAR, tariff=Tariff(unit=TariffUnit.SCHOOL, unit_amount="40.00"),
        convention_date=datetime.date(2025, 6, 5), ends_on=datetime.date(2026, 9, 5),
        response_deadline=datetime.date(2025, 10, 15),
        small_claims=SmallClaims(policy=SmallClaimsPolicy.ISSUE, threshold="50.00"),
    )
    created = create_campaign.sync_detailed(client=client, body=request)
    assert done(created, CampaignDetail, 201).state == CampaignState.PREPARING
    patch = CampaignPatch(response_deadline=datetime.date(2025, 10, 31))
    changed = patch_campaign.sync_detailed(YEAR, client=client, body=patch, if_match=created.headers["ETag"])
    assert done(changed, CampaignDetail).response_deadline == datetime.date(2025, 10, 31)

    everyone = EnrolRequest(filter_=SchoolSelection(departement="30", sector=Sector.PUBLIC))
    enrolled = done(enrol_schools.sync_detailed(YEAR, client=client, body=everyone), EnrolAnswer)
    assert (enrolled.enrolled, enrolled.refused) == (2, 0)
    asked = EnrolmentRequest(origin=EnrolmentOrigin.MAIRIE, requester="Mairie")
    blind = enrol_school.sync_detailed(YEAR, "0301023Z", client=client, body=asked)
    refused(blind, 428, "precondition_required")
    already = enrol_school.sync_detailed(YEAR, "0301023Z", client=client, body=asked, if_match='"1"')
    assert done(already, EnrolmentView).uai == "0301023Z"
    rows = ImportForm(file=File(payload=csv("uai;origine", "0301015R;mairie"), file_name="inscriptions.csv"))
    assert done(import_enrolments.sync_detailed(YEAR, client=client, body=rows), ImportView).unchanged == 1

    opening = CampaignTransitionRequest(action=CampaignAction.OPEN)
    opened = done(transition_campaign.sync_detailed(YEAR, client=client, body=opening), CampaignView)
    assert opened.state == CampaignState.OPEN and opened.texts is not None
    twice = refused(transition_campaign.sync_detailed(YEAR, client=client, body=opening), 409, "campaign_state")
    assert (twice.current_state, twice.allowed_actions) == ("open", ["close", "unopen"])


def sign_both(client: AuthenticatedClient, convention: UUID) -> ConventionTransitionRequest:
    for action, name, title in [
        (ConventionAction.SIGN, "Sylvie BARRIEU VIGNAL", "Maire"),
        (ConventionAction.COUNTERSIGN, "Carole Drucker-Godard", "Rectrice"),
    ]:
        signing = ConventionTransitionRequest(
            action=action, signed_on=SIGNED, signatory=SignatoryRequest(name=name, title=title)
        )
        done(transition_convention.sync_detailed(convention, client=client, body=signing), ConventionView)
    return signing


def issue_and_sign(client: AuthenticatedClient) -> ConventionView:
    dry = done(issue_conventions.sync_detailed(YEAR, client=client, body=IssueRequest(dry_run=True)), IssueAnswer)
    assert (dry.issued, dry.total) == (1, "80.00")
    # Repeated under its key, the call gives the same answer and acts once.
    key = "emission-2025-2026"
    for _ in range(2):
        again = issue_conventions.sync_detailed(YEAR, client=client, body=IssueRequest(), idempotency_key=key)
        issued = done(again, IssueAnswer)
        assert (issued.issued, issued.total, issued.currency) == (1, "80.00", "EUR")
    page = list_conventions.sync(client=client, campaign=YEAR, collectivite=SIRET)
    assert page is not None and not isinstance(page, ProblemView)
    convention = page.data[0]
    assert (convention.number, convention.status) == ("ENT-C-2025-2026-00001", ConventionState.ISSUED)
    assert [(line.uai, line.amount) for line in convention.lines] == [("0301023Z", "40.00"), ("0301015R", "40.00")]
    steps = get_participation.sync(convention.id, client=client)
    assert steps is not None and not isinstance(steps, ProblemView) and steps.steps[-1].amount == "80.00"
    document = get_convention_document.sync_detailed(convention.id, client=client)
    assert done(document, File).payload.read(5) == b"%PDF-"

    signing = sign_both(client, convention.id)
    again = transition_convention.sync_detailed(convention.id, client=client, body=signing)
    refused(again, 409, "convention_state")
    active = done(get_convention.sync_detailed(convention.id, client=client), ConventionView)
    assert (active.status, active.took_effect_on) == (ConventionState.ACTIVE, SIGNED)
    choices = list_convention_transitions.sync(convention.id, client=client)
    assert choices is not None and not isinstance(choices, ProblemView)
    allowed = {choice.action for choice in choices.actions if choice.allowed}
    assert allowed == {ConventionAction.CANCEL, ConventionAction.CORRECT_SIGNATURE}
    return active


def prepare_approve_seal(gestionnaire: AuthenticatedClient, ordonnateur: AuthenticatedClient) -> BatchView:
    prepared = done(prepare_titles.sync_detailed(YEAR, client=gestionnaire, body=PrepareRequest()), PrepareAnswer)
    assert (prepared.prepared, prepared.total) == (1, "80.00")
    title_id = UUID(str(prepared.items[0].id))
    alone = TitleTransitionRequest(action=TitleAction.APPROVE)
    refused(transition_title.sync_detailed(title_id, client=gestionnaire, body=alone), 403, "forbidden")
    refused(get_title_document.sync_detailed(title_id, client=ordonnateur), 409, "not_approved_yet")

    nobody = approve_titles.sync_detailed(client=ordonnateur, body=ApproveRequest())
    refused(nobody, 422, "keys_or_filter")
    selection = ApproveRequest(filter_=TitleSelection(campaign=YEAR))
    approved = done(approve_titles.sync_detailed(client=ordonnateur, body=selection), ApproveAnswer)
    assert (approved.approved, approved.skipped_flagged, approved.total) == (1, 0, "80.00")
    title = done(get_title.sync_detailed(title_id, client=ordonnateur), TitleView)
    assert title.reference == f"ENT-T-{datetime.date.today().year}-000001" and title.status == TitleState.APPROVED
    assert title.approved_by is not None and title.approved_by.name == "Camille Le ordonnateur"
    assert title.debtor.name == "COMMUNE DE SAINT-LAURENT-DES-ARBRES"
    paper = get_title_document.sync_detailed(title_id, client=ordonnateur)
    assert done(paper, File).payload.read(5) == b"%PDF-"

    sealed = seal_batch.sync_detailed(client=ordonnateur, body=SealRequest(campaign=YEAR))
    batch = done(sealed, BatchView, 201)
    assert (batch.count, batch.total, sealed.headers["ETag"]) == (1, "80.00", '"1"')
    refused(seal_batch.sync_detailed(client=ordonnateur, body=SealRequest(campaign=YEAR)), 409, "nothing_to_seal")
    page = list_titles.sync(client=ordonnateur, campaign=YEAR, status=TitleState.TRANSMITTED)
    assert page is not None and not isinstance(page, ProblemView) and page.data[0].batch_number == batch.number
    return batch


def leave_untitled(client: AuthenticatedClient, ordonnateur: AuthenticatedClient) -> UUID:
    """A claim under the threshold, left untitled by a named act; gives the decision."""
    uzes = CollectiviteRequest(siret="21300334600011", kind=CollectiviteKind.COMMUNE, name="Uzès", insee_code="30334")
    done(create_collectivite.sync_detailed(client=client, body=uzes), CollectiviteDetail, 201)
    school = SchoolRequest(
        uai="0300777G", name="Ecole primaire du Refuge", kind=SchoolKind.PRIMAIRE, sector=Sector.PUBLIC,
        insee_code="30334", commune_name="Uzès",
    )
    done(create_school.sync_detailed(client=client, body=school), SchoolView, 201)
    one = EnrolRequest(keys=["0300777G"])
    assert done(enrol_schools.sync_detailed(YEAR, client=client, body=one), EnrolAnswer).enrolled == 1
    issued = done(issue_conventions.sync_detailed(YEAR, client=client, body=IssueRequest()), IssueAnswer)
    assert (issued.issued, issued.already_issued, issued.small_claims.payers) == (1, 1, 1)
    sign_both(client, UUID(str(next(item.id for item in issued.items if item.key == uzes.siret))))
    decide = DecideRequest(keys=[uzes.siret], reason="créance isolée, sous le seuil d'émission")
    decided = done(decide_small_claims.sync_detailed(YEAR, client=ordonnateur, body=decide), DecideSmallClaimsAnswer)
    assert (decided.decided, decided.total) == (1, "40.00")
    page = list_small_claim_decisions.sync(YEAR, client=client)
    assert page is not None and not isinstance(page, ProblemView)
    decision = page.data[0]
    assert (decision.status, decision.siret) == (DecisionState.IN_FORCE, uzes.siret)
    paper = get_small_claim_decision_document.sync_detailed(decision.id, client=client)
    assert done(paper, File).payload.read(5) == b"%PDF-"
    return decision.id


def download(comptable: AuthenticatedClient, batch: BatchView) -> None:
    response = download_batch_file.sync_detailed(batch.number, FileFormat.CSV, client=comptable)
    row = done(response, File).payload.read().decode("utf-8-sig").splitlines()[1]
    assert row.startswith(f"ENT-T-{batch.exercice}-000001;{batch.number};{batch.exercice};2025-2026;commune;"), row
    assert "213 002 785 00011" in row and ";80,00;" in row, row
    assert response.headers["Content-Disposition"] == f'attachment; filename="{batch.number}.csv"'
    page = list_batches.sync(client=comptable)
    assert page is not None and not isinstance(page, ProblemView) and [b.number for b in page.data] == [batch.number]
    # An accountant has no business with the registry.
    refused(list_schools.sync_detailed(client=comptable), 403, "forbidden")


def drive(world: World) -> None:
    ready = get_readiness.sync(client=Client(base_url=world.url))
    assert ready is not None and not isinstance(ready, ProblemView)
    nobody = AuthenticatedClient(base_url=world.url, token="x.y.z")
    refused(list_schools.sync_detailed(client=nobody), 401, "unauthenticated")
    invite_a_colleague(world)
    gestionnaire, ordonnateur = logged_in(world, "gestionnaire"), logged_in(world, "ordonnateur")
    register_the_commune(gestionnaire)
    open_the_campaign(gestionnaire)
    issue_and_sign(gestionnaire)
    batch = prepare_approve_seal(gestionnaire, ordonnateur)
    download(logged_in(world, "comptable"), batch)
    leave_untitled(gestionnaire, ordonnateur)
    closing = CampaignTransitionRequest(action=CampaignAction.CLOSE)
    done(transition_campaign.sync_detailed(YEAR, client=gestionnaire, body=closing), CampaignView)
    assert done(get_campaign.sync_detailed(YEAR, client=gestionnaire), CampaignDetail).state == CampaignState.CLOSED
    journal = list_audit_events.sync(client=logged_in(world, "admin"), action="batch.sealed")
    assert journal is not None and not isinstance(journal, ProblemView)
    assert [event.subject_key for event in journal.data] == [batch.number]


def main() -> None:
    program, kinds = Path(sys.argv[1]), sys.argv[2:]
    for kind in kinds:
        with World(program, kind) as world:
            drive(world)
        print(f"drive_year: {kind}: the year is done, 80.00 EUR from registration to the accountant's file")


if __name__ == "__main__":
    main()
