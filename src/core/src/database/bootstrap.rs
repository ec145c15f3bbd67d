//! What only a superuser can do: the roles of the cluster and the rights in the database.

/// Makes the roles, in any database of the cluster. Can be repeated.
pub const ROLES: &str = include_str!("roles.sql");

/// Gives the rights, in the database itself. Can be repeated.
pub const SCHEMA: &str = include_str!("schema.sql");
