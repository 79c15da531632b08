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
