//! What services take of their host.

use minijinja::Value;

use super::super::param;
use super::super::role::CompiledRole;
use super::HostCompiler;
use crate::diagnostic::Diagnostic;
use crate::plan::Needs;
use crate::spec::role::ParamType;
use crate::template::Fault;

impl HostCompiler<'_> {
    /// What a service needs, as far as it is known; `None` when its role asks for nothing.
    pub(super) fn needs(&self, name: &str, role: &CompiledRole<'_>, context: &Value) -> Result<Option<Needs>, Fault> {
        let mut needs = Needs { service: name.to_owned(), memory: None, disk: None };
        for (what, compiled) in &role.needs {
            self.scope.take_touched();
            let value = compiled.value(&self.world.engine, context)?;
            if value.is_none() {
                continue;
            }
            let bytes = param::convert(&ParamType::Bytes, &value)
                .map_err(|(what, hint)| Diagnostic::error(compiled.span(), what).hint(hint))?;
            let bytes = u64::try_from(bytes).ok().filter(|_| self.scope.take_touched().is_empty());
            match *what {
                "memory" => needs.memory = bytes,
                "disk" => needs.disk = bytes,
                _ => {
                    let message = format!("unknown need `{what}`: a role can need `memory` and `disk`");
                    return Err(Diagnostic::error(compiled.span(), message).into());
                }
            }
        }
        Ok((needs.memory.is_some() || needs.disk.is_some()).then_some(needs))
    }
}
