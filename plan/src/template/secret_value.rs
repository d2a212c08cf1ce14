//! A secret as templates see it.

use std::fmt;
use std::sync::Arc;

use cc_agent::secret::{Token, Transform, contains_token, token};
use minijinja::Value;
use minijinja::value::{Object, ObjectRepr, ValueKind};

/// A secret as templates see it: it is true, it is not none, and it prints as its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretValue {
    name: String,
    transforms: Vec<Transform>,
}

impl SecretValue {
    /// The secret of this name, as it is.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), transforms: Vec::new() }
    }

    /// What a value is, when it is nothing but one secret: the object itself, or text that consists of one token.
    pub fn of(value: &Value) -> Option<Self> {
        if let Some(secret) = value.downcast_object_ref::<Self>() {
            return Some(secret.clone());
        }
        match Token::split(value.as_str()?).as_slice() {
            [Token::Secret(name, transforms)] => {
                Some(Self { name: (*name).to_owned(), transforms: transforms.clone() })
            }
            _ => None,
        }
    }

    /// The same secret with one more transform after the others.
    #[must_use]
    pub fn with(mut self, transform: Transform) -> Self {
        self.transforms.push(transform);
        self
    }

    /// The token that stands for it in a plan.
    pub fn token(&self) -> String {
        token(&self.name, &self.transforms)
    }

    /// Whether the value is a secret or text that contains one.
    pub fn is_in(value: &Value) -> bool {
        match value.as_str() {
            Some(text) => contains_token(text),
            None => value.downcast_object_ref::<Self>().is_some(),
        }
    }

    /// Whether the value is a secret, or a list with one.
    pub fn is_in_list(value: &Value) -> bool {
        let is_list = matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable);
        Self::is_in(value) || (is_list && value.try_iter().is_ok_and(|mut items| items.any(|i| Self::is_in(&i))))
    }

    /// Whether the value is a secret or holds one at any depth.
    pub fn is_within(value: &Value) -> bool {
        if Self::is_in(value) {
            return true;
        }
        match value.kind() {
            ValueKind::Seq | ValueKind::Iterable => {
                value.try_iter().is_ok_and(|mut items| items.any(|i| Self::is_within(&i)))
            }
            ValueKind::Map => value
                .as_object()
                .and_then(minijinja::value::DynObject::try_iter_pairs)
                .is_some_and(|mut pairs| pairs.any(|(_, item)| Self::is_within(&item))),
            _ => false,
        }
    }
}

impl Object for SecretValue {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.token())
    }
}
