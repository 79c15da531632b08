//! The tables whose rows are written directly, with their columns in the order of `sql/schema.sql`.

/// Holds.
pub mod holds {
    use crate::store::direct::table;

    table!(HOLDS c"holds":
        ID "id" Uuid,
        RESOURCE "resource" Text,
        BASKET "basket" Uuid,
        ITEM "item" Integer,
        QUANTITY "quantity" Quantity,
        SEATS "seats" Texts,
        DURING "during" Period,
        OCCUPIED "occupied" Period,
        EXCLUSIVE "exclusive" Boolean,
        STATE "state" HoldState,
        VERSION "version" Bigint,
        PLACED_AT "placed_at" Time,
        EXPIRES_AT "expires_at" Time,
        CONFIRMED_AT "confirmed_at" Time,
        ENDED_AT "ended_at" Time,
        KEY "key" Text,
        FINGERPRINT "fingerprint" Uuid,
        HOLDER "holder" Text,
        REFERENCE "reference" Text,
        METADATA "metadata" Jsonb,
    );
}

/// Resources.
pub mod resources {
    use crate::store::direct::table;

    table!(RESOURCES c"resources":
        NAME "name" Text,
        KIND "kind" ResourceKind,
        CONTENTION "contention" Contention,
        ESCROW "escrow" Uuid,
        CAPACITY "capacity" Amount,
        OVERBOOKING "overbooking" Amount,
        TAKEN "taken" Bigint,
        VERSION "version" Bigint,
        OPEN "open" Boolean,
        MAX_PER_HOLDER "max_per_holder" Quantity,
        SECTIONS "sections" Texts,
        TIME_ZONE "time_zone" Text,
        BUFFER "buffer" Interval,
        CHECK_IN "check_in" Clock,
        CHECK_OUT "check_out" Clock,
        HOURS "hours" Texts,
        RESIZED "resized" Boolean,
        WAITING "waiting" Bigint,
        SKIP "skip" Boolean,
        CREATED_AT "created_at" Time,
        METADATA "metadata" Jsonb,
    );
}

/// Seats.
pub mod seats {
    use crate::store::direct::table;

    table!(SEATS c"seats":
        RESOURCE "resource" Text,
        LABEL "label" Text,
        SECTION "section" Text,
        ROW "row" Text,
        POSITION "position" Integer,
        RANK "rank" Integer,
        MIDDLE "middle" Integer,
        HOLD_ID "hold_id" Uuid,
        BLOCKED "blocked" Boolean,
    );
}

/// Leases.
pub mod leases {
    use crate::store::direct::table;

    table!(LEASES c"leases":
        NAME "name" Text,
        SLOT "slot" Integer,
        HOLDER "holder" Text,
        TOKEN "token" Bigint,
        ACQUIRED_AT "acquired_at" Time,
        EXPIRES_AT "expires_at" Time,
        RELEASED_AT "released_at" Time,
    );
}

/// The row from which tokens are counted.
pub mod lease_epochs {
    use crate::store::direct::table;

    table!(LEASE_EPOCHS c"lease_epochs":
        SOLE "sole" Boolean,
        FLOOR "floor" Amount,
        SYSTEM_IDENTIFIER "system_identifier" Bigint,
        TIMELINE "timeline" Integer,
    );
}
