//! fail_points
