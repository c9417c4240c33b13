//! The tables as diesel sees them: one description for SQLite and PostgreSQL, whose migrations are twins.
//!
//! A test compares every table here with both migrated databases, column by column. More than 400 lines: one entry
//! per column, nothing to understand.

diesel::table! {
    users (id) {
        id -> Text,
        email -> Text,
        role -> Text,
        first_name -> Text,
        last_name -> Text,
        capacity -> Nullable<Text>,
        delegation_reference -> Nullable<Text>,
        delegation_published_on -> Nullable<Date>,
        delegation_ends_on -> Nullable<Date>,
        password_hash -> Text,
        active -> Bool,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        password_set_at -> Nullable<Timestamp>,
        last_login_at -> Nullable<Timestamp>,
        invited_by -> Nullable<Text>,
    }
}

diesel::table! {
    brakes (key) {
        key -> Text,
        failures -> BigInt,
        free_at -> Timestamp,
        forget_at -> Timestamp,
    }
}

diesel::table! {
    known_sources (user_id, source) {
        user_id -> Text,
        source -> Text,
        last_success_at -> Timestamp,
    }
}

diesel::table! {
    password_codes (user_id) {
        user_id -> Text,
        code_sha256 -> Text,
        issued_at -> Timestamp,
        expires_at -> Timestamp,
        issued_by -> Nullable<Text>,
        issued_by_label -> Text,
    }
}

diesel::table! {
    refresh_tokens (token_sha256) {
        token_sha256 -> Text,
        family -> Text,
        user_id -> Text,
        created_at -> Timestamp,
        expires_at -> Timestamp,
        used_at -> Nullable<Timestamp>,
        revoked_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    sessions (id) {
        id -> Text,
        user_id -> Text,
        opened_at -> Timestamp,
        ends_at -> Timestamp,
        revoked_at -> Nullable<Timestamp>,
        address -> Nullable<Text>,
        request_id -> Nullable<Text>,
        user_agent -> Nullable<Text>,
    }
}

diesel::table! {
    audit_events (id) {
        id -> Text,
        at -> Timestamp,
        actor_id -> Nullable<Text>,
        request_id -> Nullable<Text>,
        action -> Text,
        version -> BigInt,
        subject_kind -> Text,
        subject_id -> Text,
        subject_key -> Text,
        campaign_id -> Nullable<Text>,
        payer_id -> Nullable<Text>,
        convention_id -> Nullable<Text>,
        data -> Text,
        persons -> Nullable<Text>,
        salt -> Nullable<Text>,
        commitment -> Nullable<Text>,
        digest -> Nullable<Text>,
        actor_kind -> Nullable<Text>,
        actor_invitation_id -> Nullable<Text>,
        actor_payer_id -> Nullable<Text>,
    }
}

diesel::table! {
    blobs (sha256) {
        sha256 -> Text,
        media_type -> Text,
        length -> BigInt,
        bytes -> Binary,
        created_at -> Timestamp,
    }
}

diesel::table! {
    jobs (id) {
        id -> Text,
        kind -> Text,
        payload -> Text,
        dedup_key -> Nullable<Text>,
        state -> Text,
        attempts -> BigInt,
        run_at -> Timestamp,
        lease_until -> Nullable<Timestamp>,
        last_error -> Nullable<Text>,
        created_at -> Timestamp,
        finished_at -> Nullable<Timestamp>,
        queue -> Text,
        version -> BigInt,
    }
}

diesel::table! {
    tasks (id) {
        id -> Text,
        kind -> Text,
        subject_kind -> Text,
        subject_id -> Text,
        subject_key -> Text,
        campaign_id -> Nullable<Text>,
        payer_id -> Nullable<Text>,
        convention_id -> Nullable<Text>,
        why -> Text,
        since -> Timestamp,
        due_on -> Nullable<Date>,
        state -> Text,
        assignee_id -> Nullable<Text>,
        closed_at -> Nullable<Timestamp>,
        closed_by -> Nullable<Text>,
        closing_word -> Nullable<Text>,
        version -> BigInt,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    acts (id) {
        id -> Text,
        operation -> Text,
        author_id -> Text,
        request_id -> Nullable<Text>,
        request -> Text,
        state -> Text,
        done -> BigInt,
        total -> Nullable<BigInt>,
        problem -> Nullable<Text>,
        result -> Nullable<Text>,
        asked_at -> Timestamp,
        begun_at -> Nullable<Timestamp>,
        ended_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    act_items (act_id, rank) {
        act_id -> Text,
        rank -> BigInt,
        item -> Text,
    }
}

diesel::table! {
    daily_runs (name, day) {
        name -> Text,
        day -> Date,
        ran_at -> Timestamp,
    }
}

diesel::table! {
    idempotency_keys (scope, route, key) {
        scope -> Text,
        route -> Text,
        key -> Text,
        body_sha256 -> Text,
        status -> Nullable<BigInt>,
        headers -> Nullable<Text>,
        body -> Nullable<Text>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    base_identity (id) {
        id -> Text,
        rank -> BigInt,
        created_at -> Timestamp,
    }
}

diesel::table! {
    write_probe (rank) {
        rank -> BigInt,
        written_at -> Timestamp,
    }
}

diesel::table! {
    counters (name) {
        name -> Text,
        value -> BigInt,
        last_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    clock_watch (rank) {
        rank -> BigInt,
        seen_at -> Nullable<Timestamp>,
        doubted_at -> Nullable<Timestamp>,
        back_from -> Nullable<Timestamp>,
        back_to -> Nullable<Timestamp>,
    }
}

diesel::table! {
    collectivites (id) {
        id -> Text,
        siret -> Text,
        siren -> Text,
        kind -> Text,
        name -> Text,
        name_fold -> Text,
        insee_code -> Nullable<Text>,
        departement -> Nullable<Text>,
        address_line1 -> Nullable<Text>,
        address_line2 -> Nullable<Text>,
        postal_code -> Nullable<Text>,
        city -> Nullable<Text>,
        civility -> Nullable<Text>,
        first_name -> Nullable<Text>,
        last_name -> Nullable<Text>,
        representative_title -> Nullable<Text>,
        contact_email -> Nullable<Text>,
        contact_phone -> Nullable<Text>,
        chorus_service_code -> Nullable<Text>,
        chorus_commitment_number -> Nullable<Text>,
        chorus_third_party_number -> Nullable<Text>,
        population -> Nullable<BigInt>,
        person_fields -> Text,
        closed_on -> Nullable<Date>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    collectivite_sirets (siret) {
        siret -> Text,
        collectivite_id -> Text,
        valid_from -> Nullable<Date>,
        valid_until -> Nullable<Date>,
    }
}

diesel::table! {
    collectivite_communes (insee_code) {
        insee_code -> Text,
        collectivite_id -> Text,
        is_current -> Bool,
    }
}

diesel::table! {
    successions (predecessor_id) {
        predecessor_id -> Text,
        successor_id -> Text,
        kind -> Text,
        effective_on -> Date,
        act_reference -> Text,
        recorded_by -> Text,
        recorded_at -> Timestamp,
    }
}

diesel::table! {
    schools (uai) {
        uai -> Text,
        name -> Text,
        name_fold -> Text,
        kind -> Text,
        sector -> Text,
        insee_code -> Text,
        commune_name -> Text,
        commune_fold -> Text,
        departement -> Text,
        official_siret -> Nullable<Text>,
        official_siren -> Nullable<Text>,
        pupils -> Nullable<BigInt>,
        classes -> Nullable<BigInt>,
        opened_on -> Nullable<Date>,
        closed_on -> Nullable<Date>,
        first_school_year -> Nullable<Text>,
        person_fields -> Text,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    school_payers (uai, valid_from) {
        uai -> Text,
        valid_from -> Date,
        valid_until -> Nullable<Date>,
        collectivite_id -> Text,
        set_by -> Text,
    }
}

diesel::table! {
    campaigns (id) {
        id -> Text,
        school_year -> Text,
        state -> Text,
        tariff -> Text,
        convention_date -> Date,
        ends_on -> Date,
        response_deadline -> Nullable<Date>,
        small_claims_policy -> Text,
        small_claims_threshold_cents -> Nullable<BigInt>,
        countersign_policy -> Text,
        texts -> Nullable<Text>,
        opened_at -> Nullable<Timestamp>,
        closed_at -> Nullable<Timestamp>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    papers (subject_id, kind, version) {
        subject_kind -> Text,
        subject_id -> Text,
        kind -> Text,
        version -> BigInt,
        content -> Text,
        content_sha256 -> Nullable<Text>,
        template_sha256 -> Text,
        attached -> Bool,
        status -> Text,
        sha256 -> Nullable<Text>,
        cause -> Nullable<Text>,
        made_by -> Nullable<Text>,
        checked_at -> Nullable<Timestamp>,
        changed_at -> Timestamp,
    }
}

diesel::table! {
    convention_seals (participation_id) {
        participation_id -> Text,
        sha256 -> Text,
    }
}

diesel::table! {
    convention_unsealed (participation_id) {
        participation_id -> Text,
    }
}

diesel::table! {
    conventions (id) {
        id -> Text,
        campaign_id -> Text,
        collectivite_id -> Text,
        sequence -> BigInt,
        sequence_reason -> Nullable<Text>,
        number -> Text,
        number_rank -> BigInt,
        state -> Text,
        party -> Text,
        party_siret -> Text,
        party_fold -> Text,
        party_departement -> Nullable<Text>,
        school_count -> BigInt,
        total_cents -> BigInt,
        ends_on -> Date,
        issued_by -> Text,
        issued_at -> Timestamp,
        signed_on -> Nullable<Date>,
        signed_name -> Nullable<Text>,
        signed_title -> Nullable<Text>,
        signed_evidence -> Nullable<Text>,
        countersigned_on -> Nullable<Date>,
        countersigned_name -> Nullable<Text>,
        countersigned_title -> Nullable<Text>,
        took_effect_on -> Nullable<Date>,
        acknowledged -> Text,
        exited_on -> Nullable<Date>,
        exit_reason -> Nullable<Text>,
        version -> BigInt,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    enrolments (id) {
        id -> Text,
        campaign_id -> Text,
        uai -> Text,
        origin -> Text,
        requester -> Nullable<Text>,
        requested_on -> Nullable<Date>,
        convention_id -> Nullable<Text>,
        created_by -> Text,
        created_at -> Timestamp,
        version -> BigInt,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    participations (id) {
        id -> Text,
        convention_id -> Text,
        version -> BigInt,
        total_cents -> BigInt,
        tariff -> Text,
        steps -> Text,
        computed_at -> Timestamp,
    }
}

diesel::table! {
    participation_lines (participation_id, position) {
        participation_id -> Text,
        position -> BigInt,
        uai -> Text,
        name -> Text,
        label -> Text,
        kind -> Text,
        insee_code -> Text,
        commune_name -> Text,
        departement -> Text,
        quantity -> BigInt,
        unit_amount_cents -> Nullable<BigInt>,
        amount_cents -> BigInt,
        waiver -> Nullable<Text>,
    }
}

diesel::table! {
    accounting_batches (id) {
        id -> Text,
        number -> Text,
        number_rank -> BigInt,
        campaign_id -> Text,
        exercice -> BigInt,
        nature -> Text,
        comptable -> Text,
        title_count -> BigInt,
        total_cents -> BigInt,
        content_sha256 -> Text,
        sealed_by -> Text,
        sealed_by_label -> Text,
        sealed_at -> Timestamp,
    }
}

diesel::table! {
    accounting_batch_progress (batch_id) {
        batch_id -> Text,
        state -> Text,
        version -> BigInt,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    accounting_batch_signatures (batch_id, position) {
        batch_id -> Text,
        position -> BigInt,
        signed_on -> Date,
        name -> Text,
        title -> Text,
        evidence -> Nullable<Text>,
        reason -> Nullable<Text>,
        recorded_by -> Nullable<Text>,
        recorded_by_label -> Text,
        recorded_at -> Timestamp,
    }
}

diesel::table! {
    accounting_batch_files (batch_id, format) {
        batch_id -> Text,
        format -> Text,
        sha256 -> Text,
        length -> BigInt,
    }
}

diesel::table! {
    perception_titles (id) {
        id -> Text,
        campaign_id -> Text,
        convention_id -> Text,
        convention_rank -> BigInt,
        participation_id -> Text,
        debtor_id -> Text,
        debtor_siret -> Text,
        debtor_departement -> Nullable<Text>,
        kind -> Text,
        corrects_id -> Nullable<Text>,
        state -> Text,
        amount_cents -> BigInt,
        debtor -> Text,
        ground -> Text,
        small_claim -> Bool,
        flagged -> Bool,
        threshold_cents -> BigInt,
        findings -> Text,
        prepared_by -> Text,
        prepared_by_label -> Text,
        prepared_at -> Timestamp,
        reference -> Nullable<Text>,
        exercice -> Nullable<BigInt>,
        batch_id -> Nullable<Text>,
        batch_number -> Nullable<Text>,
        withdrawn_reason -> Nullable<Text>,
        chorus_number -> Nullable<Text>,
        chorus_issued_on -> Nullable<Date>,
        version -> BigInt,
        updated_at -> Timestamp,
        withdrawn_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    title_lines (title_id, position) {
        title_id -> Text,
        position -> BigInt,
        uai -> Text,
        label -> Text,
        commune_name -> Text,
        departement -> Text,
        quantity -> BigInt,
        unit_amount_cents -> Nullable<BigInt>,
        amount_cents -> BigInt,
        waiver -> Nullable<Text>,
    }
}

diesel::table! {
    title_approvals (title_id) {
        title_id -> Text,
        reference -> Text,
        exercice -> BigInt,
        number_rank -> BigInt,
        approved_by -> Text,
        approver -> Text,
        approved_on -> Date,
        approved_at -> Timestamp,
        content_sha256 -> Text,
    }
}

diesel::table! {
    small_claim_decisions (id) {
        id -> Text,
        convention_id -> Text,
        participation_id -> Text,
        amount_cents -> BigInt,
        threshold_cents -> BigInt,
        reason -> Text,
        decided_by -> Text,
        decided_by_label -> Text,
        decided_at -> Timestamp,
        revoked_by -> Nullable<Text>,
        revoked_at -> Nullable<Timestamp>,
        act_id -> Nullable<Text>,
        origin -> Text,
        revoked_by_label -> Nullable<Text>,
        revoked_reason -> Nullable<Text>,
        revoked_origin -> Nullable<Text>,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    small_claim_acts (id) {
        id -> Text,
        number -> Text,
        exercice -> BigInt,
        number_rank -> BigInt,
        campaign_id -> Text,
        threshold_cents -> BigInt,
        claim_count -> BigInt,
        total_cents -> BigInt,
        reason -> Text,
        decided_by -> Text,
        decided_by_label -> Text,
        decided_on -> Date,
        decided_at -> Timestamp,
        content_sha256 -> Text,
    }
}

diesel::table! {
    line_decisions (convention_id, uai, version) {
        convention_id -> Text,
        uai -> Text,
        choice -> Text,
        reason -> Text,
        decided_by -> Text,
        decided_by_label -> Text,
        decided_at -> Timestamp,
        version -> BigInt,
    }
}

diesel::table! {
    convention_refusals (id) {
        id -> Text,
        convention_id -> Text,
        declined_on -> Date,
        declined_by -> Text,
        reason -> Text,
        recorded_by -> Nullable<Text>,
        recorded_by_label -> Text,
        recorded_at -> Timestamp,
    }
}

diesel::table! {
    convention_reopenings (refusal_id) {
        refusal_id -> Text,
        reason -> Text,
        reopened_by -> Nullable<Text>,
        reopened_by_label -> Text,
        reopened_at -> Timestamp,
    }
}

diesel::table! {
    title_returns (id) {
        id -> Text,
        title_id -> Text,
        reason -> Text,
        returned_by -> Text,
        returned_by_label -> Text,
        returned_at -> Timestamp,
    }
}

diesel::table! {
    title_resubmissions (return_id) {
        return_id -> Text,
        reason -> Text,
        resubmitted_by -> Text,
        resubmitted_by_label -> Text,
        resubmitted_at -> Timestamp,
    }
}

diesel::table! {
    enrolment_reinstatements (campaign_id, uai, rank) {
        campaign_id -> Text,
        uai -> Text,
        rank -> BigInt,
        reinstated_by_label -> Text,
        reinstated_at -> Timestamp,
    }
}

diesel::table! {
    enrolment_withdrawals (campaign_id, uai, rank) {
        campaign_id -> Text,
        uai -> Text,
        rank -> BigInt,
        withdrawn_by_label -> Text,
        withdrawn_at -> Timestamp,
    }
}

diesel::table! {
    accounting_batch_titles (batch_id, position) {
        batch_id -> Text,
        position -> BigInt,
        title_id -> Text,
    }
}

diesel::table! {
    stored_files (sha256) {
        sha256 -> Text,
        media_type -> Text,
        length -> BigInt,
        created_at -> Timestamp,
    }
}

diesel::table! {
    stored_file_parts (sha256, position) {
        sha256 -> Text,
        position -> BigInt,
        part_sha256 -> Text,
    }
}

diesel::table! {
    attachments (id) {
        id -> Text,
        subject_kind -> Text,
        subject_id -> Text,
        purpose -> Text,
        media_type -> Text,
        sha256 -> Text,
        length -> BigInt,
        file_name -> Nullable<Text>,
        given_sha256 -> Text,
        scan -> Text,
        attached_by -> Nullable<Text>,
        attached_by_label -> Text,
        attached_at -> Timestamp,
    }
}

diesel::table! {
    attachment_sources (attachment_id, position) {
        attachment_id -> Text,
        position -> BigInt,
        media_type -> Text,
        sha256 -> Text,
        length -> BigInt,
        file_name -> Nullable<Text>,
    }
}

diesel::table! {
    attachment_detachments (attachment_id) {
        attachment_id -> Text,
        reason -> Text,
        detached_by -> Nullable<Text>,
        detached_by_label -> Text,
        detached_at -> Timestamp,
    }
}

diesel::table! {
    eliminations (id) {
        id -> Text,
        at -> Timestamp,
        entry -> Text,
        term -> Text,
        signed_by -> Text,
        capacity -> Text,
        reason -> Text,
        row_count -> BigInt,
        oldest_on -> Date,
        rows_sha256 -> Nullable<Text>,
    }
}

diesel::table! {
    elimination_rows (elimination_id, table_name, row_key) {
        elimination_id -> Text,
        table_name -> Text,
        row_key -> Text,
    }
}

diesel::table! {
    base_lives (id) {
        id -> Text,
        rank -> BigInt,
        began_at -> Timestamp,
        released_at -> Nullable<Timestamp>,
        released_by -> Nullable<Text>,
    }
}

diesel::table! {
    mail_gate (id) {
        id -> BigInt,
        closed_until -> Nullable<Timestamp>,
        failures -> BigInt,
        cause -> Nullable<Text>,
    }
}

diesel::table! {
    emails (id) {
        id -> Text,
        kind -> Text,
        payload -> Text,
        address -> Text,
        domain -> Text,
        state -> Text,
        cause -> Nullable<Text>,
        attempts -> BigInt,
        refusals -> BigInt,
        due_at -> Timestamp,
        lease_until -> Nullable<Timestamp>,
        queued_at -> Timestamp,
        queued_by -> Text,
        ended_at -> Nullable<Timestamp>,
        resent_of -> Nullable<Text>,
        dedup_key -> Nullable<Text>,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    email_dossiers (email_id, payer_id, campaign_id) {
        email_id -> Text,
        payer_id -> Text,
        campaign_id -> Text,
    }
}

diesel::table! {
    email_attempts (email_id, number) {
        email_id -> Text,
        number -> BigInt,
        message_id -> Text,
        domain -> Text,
        sender -> Text,
        subject -> Text,
        body -> Text,
        html -> Text,
        files -> Text,
        begun_at -> Timestamp,
        ended_at -> Nullable<Timestamp>,
        outcome -> Nullable<Text>,
        stage -> Nullable<Text>,
        answer -> Nullable<Text>,
    }
}

diesel::table! {
    mail_blocks (address) {
        address -> Text,
        reason -> Text,
        blocked_at -> Timestamp,
        blocked_by -> Text,
    }
}

diesel::table! {
    mail_templates (kind, version) {
        kind -> Text,
        version -> BigInt,
        source -> Text,
        reason -> Text,
        author -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    invitations (id) {
        id -> Text,
        payer_id -> Text,
        campaign_id -> Text,
        secret_sha256 -> Text,
        life_id -> Text,
        origin -> Text,
        email_id -> Nullable<Text>,
        attempt -> Nullable<BigInt>,
        created_at -> Timestamp,
        created_by -> Text,
        expires_at -> Timestamp,
        revoked_at -> Nullable<Timestamp>,
        revoked_by -> Nullable<Text>,
        revoked_reason -> Nullable<Text>,
        uses -> BigInt,
        last_used_at -> Nullable<Timestamp>,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    invitation_uses (id) {
        id -> Text,
        invitation_id -> Text,
        at -> Timestamp,
        kind -> Text,
        address -> Text,
        agent -> Nullable<Text>,
    }
}

diesel::table! {
    invitation_sessions (id) {
        id -> Text,
        invitation_id -> Text,
        secret_sha256 -> Text,
        began_at -> Timestamp,
        expires_at -> Timestamp,
        ended_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    lost_links (id) {
        id -> Text,
        at -> Timestamp,
        scope -> Text,
        key -> Text,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    invitations,
    invitation_uses,
    invitation_sessions,
    lost_links,
    base_lives,
    mail_gate,
    emails,
    email_dossiers,
    email_attempts,
    mail_blocks,
    mail_templates,
    users,
    refresh_tokens,
    sessions,
    audit_events,
    blobs,
    jobs,
    idempotency_keys,
    counters,
    collectivites,
    collectivite_sirets,
    collectivite_communes,
    successions,
    schools,
    school_payers,
    campaigns,
    conventions,
    enrolments,
    participations,
    participation_lines,
    convention_seals,
    convention_unsealed,
    accounting_batches,
    accounting_batch_progress,
    accounting_batch_signatures,
    accounting_batch_files,
    perception_titles,
    title_lines,
    title_approvals,
    small_claim_decisions,
    small_claim_acts,
    line_decisions,
    convention_refusals,
    convention_reopenings,
    title_returns,
    title_resubmissions,
    enrolment_reinstatements,
    enrolment_withdrawals,
    accounting_batch_titles,
    stored_files,
    stored_file_parts,
    attachments,
    attachment_sources,
    attachment_detachments,
);
