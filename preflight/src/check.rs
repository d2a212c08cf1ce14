//! A check.

use crate::about::About;
use crate::answers::Answered;
use crate::judgement::Judged;
use crate::question::Ask;
use crate::scene::Scene;
use crate::subject::Subject;

/// Something that must hold before an environment is installed, changed or opened to its users.
///
/// It is asked about each subject of its vantage: [`Check::ask`] says what to read, [`Check::judge`] what the readings mean.
pub trait Check: Sync {
    /// What there is to say of it.
    fn about(&self) -> &'static About;

    /// What to ask about a subject, or why there is nothing to ask.
    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask;

    /// What the answers mean; they come in the order of the questions.
    ///
    /// # Errors
    /// [`Unmeasured`](crate::Unmeasured) when the answers do not tell. That is never a pass.
    fn judge(&self, scene: &Scene<'_>, subject: Subject, answers: &Answered<'_>) -> Judged;

    /// The evidence without what must not be kept: machine ids, account names, keys.
    fn mask(&self, evidence: &str) -> String {
        evidence.to_owned()
    }
}
