//! A value that is ready to be evaluated.

use minijinja::{Expression, Template, Value};

use super::{Engine, Fault, to_json};
use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// A value of `role.yml` or `environment.yml`, parsed once, evaluated for each host.
#[derive(Debug)]
pub struct Compiled<'e> {
    form: Form<'e>,
    span: Span,
}

#[derive(Debug)]
enum Form<'e> {
    /// No template anywhere in it.
    Constant(Value),
    /// One `{{ … }}`: keeps its type.
    Expression(Expression<'e, 'static>, String),
    /// Text with pieces in it: gives text.
    Text(Template<'e, 'e>),
    List(Vec<Compiled<'e>>),
    Map(Vec<(String, Compiled<'e>)>),
}

impl<'e> Compiled<'e> {
    pub(super) fn constant(value: Value, span: Span) -> Self {
        Self { form: Form::Constant(value), span }
    }

    pub(super) fn expression(expression: Expression<'e, 'static>, text: &str, span: Span) -> Self {
        Self { form: Form::Expression(expression, text.to_owned()), span }
    }

    pub(super) fn text(template: Template<'e, 'e>, span: Span) -> Self {
        Self { form: Form::Text(template), span }
    }

    pub(super) fn list(items: Vec<Self>, span: Span) -> Self {
        let constant: Option<Vec<Value>> = items.iter().map(|item| item.as_constant().cloned()).collect();
        Self { form: constant.map_or(Form::List(items), |values| Form::Constant(Value::from(values))), span }
    }

    pub(super) fn map(entries: Vec<(String, Self)>, span: Span) -> Self {
        let constant: Option<Vec<(String, Value)>> =
            entries.iter().map(|(key, item)| Some((key.clone(), item.as_constant()?.clone()))).collect();
        Self { form: constant.map_or(Form::Map(entries), |pairs| Form::Constant(Value::from_pairs(pairs))), span }
    }

    /// Its place.
    pub fn span(&self) -> Span {
        self.span
    }

    /// The value, when it is the same for every host.
    pub fn as_constant(&self) -> Option<&Value> {
        if let Form::Constant(value) = &self.form { Some(value) } else { None }
    }

    /// Evaluates it.
    ///
    /// # Errors
    /// What the template does wrong, at its place.
    pub fn value(&self, engine: &Engine, context: &Value) -> Result<Value, Fault> {
        match &self.form {
            Form::Constant(value) => Ok(value.clone()),
            Form::Expression(expression, text) => expression
                .eval(context.clone())
                .map_err(|error| engine.fault(&error, self.span, text, Some(context)))
                .and_then(|value| {
                    if value.is_undefined() { Err(engine.undefined(text, self.span, context)) } else { Ok(value) }
                }),
            Form::Text(template) => template
                .render(context.clone())
                .map(Value::from)
                .map_err(|error| engine.fault(&error, self.span, template.source(), Some(context))),
            Form::List(items) => {
                let items: Vec<Value> = items.iter().map(|i| i.value(engine, context)).collect::<Result<_, _>>()?;
                Ok(Value::from(items))
            }
            Form::Map(entries) => {
                let pairs: Vec<(String, Value)> = entries
                    .iter()
                    .map(|(key, item)| Ok((key.clone(), item.value(engine, context)?)))
                    .collect::<Result<_, Fault>>()?;
                Ok(Value::from_pairs(pairs))
            }
        }
    }

    /// Evaluates it to JSON; secrets become their tokens.
    ///
    /// # Errors
    /// What the template does wrong, at its place.
    pub fn json(&self, engine: &Engine, context: &Value) -> Result<serde_json::Value, Fault> {
        to_json(&self.value(engine, context)?).map_err(|why| Diagnostic::error(self.span, why).into())
    }
}
