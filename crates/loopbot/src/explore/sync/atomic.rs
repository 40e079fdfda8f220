//! Atomics whose every operation is a step. The memory model is sequential consistency, whatever the `Ordering`.

use std::fmt;
use std::panic::Location;

pub use std::sync::atomic::Ordering;

use crate::explore::object::{Keeps, Object};
use crate::explore::state::{self, Next, Touch};

/// A fence: a step of its own, which changes nothing under sequential consistency.
#[track_caller]
pub fn fence(_order: Ordering) {
    state::point(Next::Step, Touch::Anything);
}

macro_rules! atomic {
    ($($name:ident of $value:ty: $($numeric:ident)?;)*) => {$(
        #[doc = concat!("[`std::sync::atomic::", stringify!($name), "`] for explored programs.")]
        pub struct $name {
            value: std::sync::atomic::$name,
            object: Object,
        }

        impl $name {
            /// An atomic with this value.
            pub fn new(value: $value) -> $name {
                $name { value: std::sync::atomic::$name::new(value), object: Object::new(stringify!($name), None, Keeps::Nothing) }
            }

            /// An atomic that pictures call by this name.
            pub fn named(name: &str, value: $value) -> $name {
                $name { value: std::sync::atomic::$name::new(value), object: Object::new(stringify!($name), Some(name), Keeps::Nothing) }
            }

            /// Reads the value.
            #[track_caller]
            pub fn load(&self, order: Ordering) -> $value {
                self.object.look();
                let value = self.value.load(order);
                self.object.did(Location::caller(), || format!("load → {value}"));
                value
            }

            /// Writes the value.
            #[track_caller]
            pub fn store(&self, value: $value, order: Ordering) {
                self.object.step();
                self.value.store(value, order);
                self.object.did(Location::caller(), || format!("store({value})"));
            }

            /// Writes the value and returns the one before.
            #[track_caller]
            pub fn swap(&self, value: $value, order: Ordering) -> $value {
                self.object.step();
                let before = self.value.swap(value, order);
                self.object.did(Location::caller(), || format!("swap({value}) → {before}"));
                before
            }

            /// Writes `new` if the value is `current`; returns the value before, as `Ok` if it was written.
            #[track_caller]
            pub fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.object.step();
                let result = self.value.compare_exchange(current, new, success, failure);
                self.object.did(Location::caller(), || match result {
                    Ok(_) => format!("compare_exchange({current}, {new}) ✔"),
                    Err(found) => format!("compare_exchange({current}, {new}) ✘ is {found}"),
                });
                result
            }

            /// The same as [`compare_exchange`](Self::compare_exchange): failing without a reason is not explored.
            #[track_caller]
            pub fn compare_exchange_weak(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.compare_exchange(current, new, success, failure)
            }

            /// Changes the value until no other thread comes between reading and writing.
            ///
            /// # Errors
            /// With the value as it is, when `update` returns `None`.
            #[track_caller]
            pub fn fetch_update(
                &self,
                set: Ordering,
                fetch: Ordering,
                mut update: impl FnMut($value) -> Option<$value>,
            ) -> Result<$value, $value> {
                let mut before = self.load(fetch);
                while let Some(new) = update(before) {
                    match self.compare_exchange(before, new, set, fetch) {
                        Ok(before) => return Ok(before),
                        Err(found) => before = found,
                    }
                }
                Err(before)
            }

            $(numeric_operations!($numeric $name $value);)?

            /// The value, when no other thread can have it.
            pub fn into_inner(self) -> $value {
                self.value.into_inner()
            }

            /// The value, when no other thread can have it.
            pub fn get_mut(&mut self) -> &mut $value {
                self.value.get_mut()
            }
        }

        impl Default for $name {
            fn default() -> $name {
                $name::new(<$value>::default())
            }
        }

        impl From<$value> for $name {
            fn from(value: $value) -> $name {
                $name::new(value)
            }
        }

        /// Shows the value without a step.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.value, f)
            }
        }
    )*};
}

macro_rules! numeric_operations {
    (numeric $name:ident $value:ty) => {
        fetch!($name $value: "Adds, wrapping around", fetch_add);
        fetch!($name $value: "Subtracts, wrapping around", fetch_sub);
        fetch!($name $value: "Bitwise and", fetch_and);
        fetch!($name $value: "Bitwise or", fetch_or);
        fetch!($name $value: "Bitwise exclusive or", fetch_xor);
        fetch!($name $value: "Keeps the greater", fetch_max);
        fetch!($name $value: "Keeps the smaller", fetch_min);
    };
    (logical $name:ident $value:ty) => {
        fetch!($name $value: "And", fetch_and);
        fetch!($name $value: "Or", fetch_or);
        fetch!($name $value: "Exclusive or", fetch_xor);
    };
}

macro_rules! fetch {
    ($name:ident $value:ty: $doc:literal, $operation:ident) => {
        #[doc = concat!($doc, "; returns the value before.")]
        #[track_caller]
        pub fn $operation(&self, operand: $value, order: Ordering) -> $value {
            self.object.step();
            let before = self.value.$operation(operand, order);
            let after = self.value.load(Ordering::SeqCst);
            self.object.did(Location::caller(), || {
                format!(
                    concat!(stringify!($operation), "({}): {} → {}"),
                    operand, before, after
                )
            });
            before
        }
    };
}

atomic! {
    AtomicBool of bool: logical;
    AtomicI8 of i8: numeric;
    AtomicI16 of i16: numeric;
    AtomicI32 of i32: numeric;
    AtomicI64 of i64: numeric;
    AtomicIsize of isize: numeric;
    AtomicU8 of u8: numeric;
    AtomicU16 of u16: numeric;
    AtomicU32 of u32: numeric;
    AtomicU64 of u64: numeric;
    AtomicUsize of usize: numeric;
}
