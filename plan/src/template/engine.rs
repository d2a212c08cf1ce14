//! The template environment of one spec.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, ErrorKind, Template, UndefinedBehavior, Value};

use super::{Compiled, Fault, SecretValue, fault, filter, secret_filter};
use crate::node::{Kind, Node};
use crate::source::{FileId, Span, Spanned};
use crate::spec::Spec;

/// Instructions that one template may run. A loop over a thousand hosts that prints a hundred values of each takes a tenth.
pub(super) const FUEL: u64 = 5_000_000;

/// What a value that prints as `None` is told apart by from other invalid operations.
pub(super) const PRINTS_NONE: &str = "the value is none and would print as `None`";

/// The template environment of one spec: settings, filters, the roles' templates.
pub struct Engine {
    pub(super) env: Environment<'static>,
    spec: Arc<Spec>,
    texts: Texts,
}

/// Text templates of `role.yml` and `environment.yml` by the name under which the environment loads them.
type Texts = Arc<Mutex<HashMap<String, String>>>;

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl Engine {
    /// An environment that can load the templates of all roles of a spec.
    pub fn new(spec: Arc<Spec>) -> Self {
        let texts = Texts::default();
        let mut env = Environment::new();
        env.set_undefined_behavior(UndefinedBehavior::Strict);
        env.set_auto_escape_callback(|_| AutoEscape::None);
        env.set_debug(true);
        env.set_fuel(Some(FUEL));
        env.set_syntax(syntax());
        env.set_formatter(|out, state, value| {
            if value.is_none() {
                return Err(minijinja::Error::new(ErrorKind::InvalidOperation, PRINTS_NONE));
            }
            minijinja::escape_formatter(out, state, value)
        });
        // Names are `role/path`, so that a template can include only what lies in its own role's folder.
        env.set_path_join_callback(|name, parent| {
            let role = parent.split('/').next().unwrap_or_default();
            Cow::Owned(format!("{role}/{name}"))
        });
        env.set_loader({
            let (spec, texts) = (Arc::clone(&spec), Arc::clone(&texts));
            move |name| {
                if let Some(file) = role_template(&spec, name) {
                    return Ok(Some(spec.sources.get(file).text.clone()));
                }
                Ok(texts.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned())
            }
        });
        env.remove_global("debug");
        secret_filter::guard(&mut env);
        filter::add(&mut env);
        Self { env, spec, texts }
    }

    /// The spec whose templates these are.
    pub fn spec(&self) -> &Arc<Spec> {
        &self.spec
    }

    /// Prepares a value for evaluation. `role` is whose templates text may include.
    ///
    /// # Errors
    /// Template syntax.
    pub fn compile(&self, role: &str, node: &Node) -> Result<Compiled<'_>, Fault> {
        Ok(match &node.kind {
            Kind::Null => Compiled::constant(Value::from(()), node.span),
            Kind::Bool(value) => Compiled::constant(Value::from(*value), node.span),
            Kind::Int(value) => Compiled::constant(Value::from(*value), node.span),
            Kind::Float(value) => Compiled::constant(Value::from(*value), node.span),
            Kind::String(text) => self.compile_text(role, text, node.span)?,
            Kind::List(items) => {
                let items = items.iter().map(|item| self.compile(role, item)).collect::<Result<Vec<_>, _>>()?;
                Compiled::list(items, node.span)
            }
            Kind::Map(entries) => {
                let entries = entries
                    .iter()
                    .map(|(key, item)| Ok((key.value.clone(), self.compile(role, item)?)))
                    .collect::<Result<Vec<_>, Fault>>()?;
                Compiled::map(entries, node.span)
            }
        })
    }

    /// Like [`Engine::compile`], for values of environments and defaults, where `{secret: name}` stands for a secret.
    ///
    /// # Errors
    /// Template syntax.
    pub fn compile_param(&self, role: &str, node: &Node) -> Result<Compiled<'_>, Fault> {
        if let Some(name) = secret_reference(node) {
            return Ok(Compiled::constant(Value::from_object(SecretValue::new(name)), node.span));
        }
        match &node.kind {
            Kind::List(items) => {
                let items = items.iter().map(|item| self.compile_param(role, item)).collect::<Result<Vec<_>, _>>()?;
                Ok(Compiled::list(items, node.span))
            }
            Kind::Map(entries) => {
                let entries = entries
                    .iter()
                    .map(|(key, item)| Ok((key.value.clone(), self.compile_param(role, item)?)))
                    .collect::<Result<Vec<_>, Fault>>()?;
                Ok(Compiled::map(entries, node.span))
            }
            _ => self.compile(role, node),
        }
    }

    /// Prepares a condition: an expression, with or without braces around it.
    ///
    /// # Errors
    /// Template syntax.
    pub fn compile_condition(&self, text: &Spanned<String>) -> Result<Compiled<'_>, Fault> {
        let expression = single_expression(&text.value).unwrap_or(&text.value);
        self.compile_expression(expression, text.span)
    }

    /// A template of a role, by its path below `templates/`; `None` when there is none.
    ///
    /// # Errors
    /// Template syntax.
    pub fn role_template(&self, role: &str, path: &str) -> Result<Option<Template<'_, '_>>, Fault> {
        let name = format!("{role}/{path}");
        let Some(file) = role_template(&self.spec, &name) else { return Ok(None) };
        let start = Span { file, start: 0, end: 0 };
        self.env.get_template(&name).map(Some).map_err(|error| self.fault(&error, start, "", None))
    }

    /// Renders a template of a role. A file that ends with a newline gives text that does, even when the last line is a
    /// `{% … %}` that swallowed it.
    ///
    /// # Errors
    /// What the template does wrong, at its place.
    pub fn render(&self, template: &Template<'_, '_>, context: &Value) -> Result<String, Fault> {
        let mut text = template.render(context.clone()).map_err(|error| {
            let file = role_template(&self.spec, template.name());
            let span =
                file.map_or(Span { file: self.first_file(), start: 0, end: 0 }, |file| Span { file, start: 0, end: 0 });
            self.fault(&error, span, "", Some(context))
        })?;
        if template.source().ends_with('\n') && !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        Ok(text)
    }

    fn first_file(&self) -> FileId {
        self.spec.environment.name.span.file
    }

    fn compile_text(&self, role: &str, text: &str, span: Span) -> Result<Compiled<'_>, Fault> {
        if !["{{", "{%", "{#"].iter().any(|open| text.contains(open)) {
            return Ok(Compiled::constant(Value::from(text), span));
        }
        if let Some(expression) = single_expression(text)
            && let Ok(compiled) = self.compile_expression(expression, span)
        {
            return Ok(compiled);
        }
        let name = format!("{role}/:{:?}:{}", span.file, span.start);
        self.texts.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), text.to_owned());
        let template = self.env.get_template(&name).map_err(|error| self.fault(&error, span, text, None))?;
        Ok(Compiled::text(template, span))
    }

    fn compile_expression(&self, expression: &str, span: Span) -> Result<Compiled<'_>, Fault> {
        let compiled = self
            .env
            .compile_expression_owned(expression.to_owned())
            .map_err(|error| self.fault(&error, span, expression, None))?;
        Ok(Compiled::expression(compiled, expression, span))
    }

    /// Turns an engine's error into a finding at the right place. `span` and `text` are the value's that was evaluated.
    pub(super) fn fault(&self, error: &minijinja::Error, span: Span, text: &str, context: Option<&Value>) -> Fault {
        let locate = |name: &str| role_template(&self.spec, name);
        fault::Explanation { env: &self.env, sources: &self.spec.sources, locate: &locate, span, text, context }
            .explain(error)
    }

    /// The finding for an expression that gave nothing.
    pub(super) fn undefined(&self, expression: &str, span: Span, context: &Value) -> Fault {
        let sources = &self.spec.sources;
        fault::Explanation {
            env: &self.env,
            sources,
            locate: &|_| None,
            span,
            text: expression,
            context: Some(context),
        }
        .undefined(expression)
    }
}

/// `{secret: name}`, as environments write it.
pub(crate) fn secret_reference(node: &Node) -> Option<&str> {
    match node.as_map()? {
        [(key, name)] if key.value == "secret" => name.as_str(),
        _ => None,
    }
}

/// The file of `role/path`.
fn role_template(spec: &Spec, name: &str) -> Option<FileId> {
    let (role, path) = name.split_once('/')?;
    spec.roles.get(role)?.templates.get(path).copied()
}

/// What stands between the braces when a text is one `{{ … }}`, perhaps: `{{ a }}{{ b }}` is told apart by its syntax.
fn single_expression(text: &str) -> Option<&str> {
    let inner = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    Some(inner.trim_start_matches(['-', '+']).trim_end_matches(['-', '+']).trim())
}

fn syntax() -> SyntaxConfig {
    #[expect(clippy::unwrap_used, reason = "building fails only for custom delimiters")]
    SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build().unwrap()
}
