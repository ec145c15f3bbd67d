//! What only a superuser can do: the roles of the cluster and the rights in the database.

/// Makes the roles, in any database of the cluster. Can be repeated.
pub const ROLES: &str = include_str!("roles.sql");

/// Gives the rights, in the database itself, which is then owned by `send0_owner`. Can be repeated.
pub const GRANTS: &str = include_str!("grants.sql");
