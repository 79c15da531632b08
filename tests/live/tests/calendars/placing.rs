//! The requests of a guest.

use booking_live::{Answer, Told};
use rand::Rng;
use serde_json::Value;

use crate::guest::{Guest, Placed};
use crate::record::{Asked, Owned};
use crate::rooms::{Want, moment};

impl Guest<'_> {
    pub fn place(&mut self, ttl: &str) -> Vec<Placed> {
        self.keys += 1;
        let key = format!("guest {}, request {}", self.number, self.keys);
        match self.random.random_range(0..100) {
            0..60 => self.hold(ttl, &key).into_iter().collect(),
            60..85 => self.hold_all(ttl, &key).into_iter().collect(),
            _ => self.hold_each(ttl, &key),
        }
    }

    fn hold(&mut self, ttl: &str, key: &str) -> Option<Placed> {
        let want = Want::random(&mut self.random);
        let holder = self.holder();
        let call = want.call(&format!("ttl => '{ttl}', key => '{key}', holder => '{holder}'"));
        let told = self.ask("hold", &call);
        let placed = self.placed("hold", &want, &told, &told.answer);
        if let Some(placed) = &placed
            && self.random.random_ratio(1, 6)
        {
            let same = self.ask("hold again", &call);
            assert!(same.answer.replayed && same.answer.id() == placed.id, "{call}: {same:?}");
            let other = self.ask("hold again", &call.replace(&holder, "somebody else"));
            assert_eq!((other.answer.status.as_str(), other.answer.id()), ("key_reused", placed.id.as_str()));
        }
        placed
    }

    /// Places a single hold, or records why it was refused.
    fn placed<T>(&self, verb: &'static str, want: &Want, told: &Told<T>, answer: &Answer) -> Option<Placed> {
        match answer.status.as_str() {
            "held" => assert!(answer.ok && (told.again() || !answer.replayed), "{answer:?}"),
            // The hold was placed before the crash, and expired before the client could repeat the call.
            "expired" => assert!(told.again() && answer.replayed, "{answer:?}"),
            _ => {
                self.refused(verb, Asked::new(want), Vec::new(), told, answer);
                return None;
            }
        }
        let expires_at = answer.expires_at.expect("a hold runs out");
        let owned = Owned::placed(answer.id(), &self.holder(), want, expires_at, told);
        if let Some(detail) = &answer.detail {
            let detail: Value = serde_json::from_str(detail).expect("JSON");
            let time = |n: usize| moment(detail["during"][n].as_str().expect("a moment"));
            assert_eq!((time(0), time(1)), want.during(), "{answer:?}");
        }
        self.is(&owned, None);
        Some(Placed { id: owned.id.clone(), owned: vec![owned] })
    }

    fn hold_all(&mut self, ttl: &str, key: &str) -> Option<Placed> {
        let size = self.random.random_range(2..=4);
        let wants: Vec<_> = (0..size).map(|_| Want::random(&mut self.random)).collect();
        let items: Vec<_> = wants.iter().map(|want| want.item("")).collect();
        let (items, holder) = (items.join(", "), self.holder());
        let call = format!("hold_all(jsonb_build_array({items}), '{ttl}', '{key}', '{holder}')");
        let told = self.ask("hold_all", &call);
        let detail = told.answer.detail.as_deref().expect("items");
        let detail: Value = serde_json::from_str(detail).expect("JSON");
        let items = detail["items"].as_array().expect("items");
        let is_placed = ["held", "expired"].contains(&told.answer.status.as_str());
        assert!(!is_placed || items.len() == wants.len(), "{told:?}");
        let mut owned = Vec::new();
        for item in items {
            let n = item["item"].as_u64().expect("its number") as usize - 1;
            if is_placed {
                let id = item["hold_id"].as_str().expect("an id");
                let expires_at = told.answer.expires_at.expect("a hold runs out");
                let item = Owned::placed(id, &holder, &wants[n], expires_at, &told);
                self.is(&item, None);
                owned.push(item);
            } else {
                let others = wants.iter().enumerate().filter(|(other, _)| *other != n);
                let beside = others.map(|(_, want)| Asked::new(want)).collect();
                let status = item["status"].as_str().expect("a status").to_owned();
                let why = Answer { status, detail: Some(item.to_string()), ..told.answer.clone() };
                self.refused("hold_all", Asked::new(&wants[n]), beside, &told, &why);
            }
        }
        is_placed.then(|| Placed { id: told.answer.id().to_owned(), owned })
    }

    fn hold_each(&mut self, ttl: &str, key: &str) -> Vec<Placed> {
        let size = self.random.random_range(2..=6);
        let wants: Vec<_> = (0..size).map(|_| Want::random(&mut self.random)).collect();
        let holder = self.holder();
        let request = |(n, want): (usize, &Want)| {
            want.item(&format!(", 'ttl', '{ttl}', 'key', '{key}, {n}', 'holder', '{holder}'"))
        };
        let requests: Vec<_> = wants.iter().enumerate().map(request).collect();
        let call = format!("hold_each(jsonb_build_array({}))", requests.join(", "));
        let told = self.caller.ask_each(&call);
        self.shared.note(|record| told.answer.iter().for_each(|answer| record.saw("hold_each", answer)));
        let each = wants.iter().zip(&told.answer);
        each.filter_map(|(want, answer)| self.placed("hold_each", want, &told, answer)).collect()
    }
}
