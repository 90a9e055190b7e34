//! What a mirror removes from its target, after everything was copied.

use hallpass_core::limits::S3_DELETE_KEYS_MAX;

use super::{Confirm, Outcome, Running, place};
use crate::client::{Client, Doomed, ObjectId};
use crate::error::S3Error;
use crate::plan::{Mirror, Place};
use crate::transfer::unless_stopped;

impl Running<'_> {
    /// Removes what the source does not have, if everything else went well and the person agrees.
    pub(super) async fn removals(&mut self, mirror: &mut Mirror, confirm: Confirm<'_>) -> Result<(), S3Error> {
        let places = mirror.removals(self.report.failed == 0)?;
        if self.orders.dry_run {
            return places.into_iter().try_for_each(|place| self.told(Outcome::WouldRemove(place)));
        }
        if places.is_empty() {
            return Ok(());
        }
        confirm(places.len())?;
        let mut objects: Vec<(Client, ObjectId)> = Vec::new();
        for place in places {
            match place {
                Place::Object(client, object) => objects.push((client, object)),
                Place::Local(path) => {
                    let root = mirror.target_folder().unwrap_or(&path).to_owned();
                    let removed = place::remove_below(path.clone(), root).await;
                    self.removed(Place::Local(path), removed)?;
                }
                Place::Stdio => {}
            }
        }
        for batch in objects.chunks(S3_DELETE_KEYS_MAX) {
            let Some((client, first)) = batch.first() else { continue };
            let keys: Vec<Doomed> =
                batch.iter().map(|(_, object)| Doomed { key: object.key.clone(), version: None }).collect();
            let deleted = unless_stopped(&self.stop, client.delete_many(&first.bucket, &keys, false)).await?;
            let place = |doomed: Doomed| Place::Object(client.clone(), ObjectId::new(&first.bucket, doomed.key));
            for doomed in deleted.deleted {
                self.removed(place(doomed), Ok(()))?;
            }
            for (doomed, error) in deleted.failed {
                self.removed(place(doomed), Err(error))?;
            }
        }
        Ok(())
    }

    fn removed(&mut self, place: Place, removed: Result<(), S3Error>) -> Result<(), S3Error> {
        match removed {
            Ok(()) => self.told(Outcome::Removed(place)),
            Err(error) => self.told(Outcome::Failed(Some((super::Action::Remove, place.clone(), place)), error)),
        }
    }
}
