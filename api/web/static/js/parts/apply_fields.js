/**
 * The fields of an application and their limits, one a line: what the service takes, no more and no less.
 * `above` is exclusive, `least` and `most` are inclusive; `percent` fields are shares shown in percent.
 */
export const FIELDS = {
  "request_id": { kind: "text", required: true, most: 64, form: "id" },
  "received_on": { kind: "day", required: true },
  "purpose": { kind: "choice", codes: ["application", "consultation"], preset: "application", required: true },
  "applicant.name": { kind: "text", required: true, most: 200, autocomplete: "organization" },
  "applicant.category": { kind: "choice", required: true, codes: ["resident", "residential_area", "small_micro", "industrial_commercial", "agriculture", "non_residential_lighting", "ev_charging", "temporary", "other"], common: "category" },
  "applicant.contact": { kind: "text", most: 200, autocomplete: "tel" },
  "applicant.importance": { kind: "choice", codes: ["special", "first", "second", "temporary", "ordinary"] },
  "business": { kind: "choice", required: true, codes: ["new", "increase", "temporary"], preset: "new" },
  "location.datum": { kind: "choice", required: true, codes: ["CGCS2000", "WGS84", "GCJ02", "BD09"] },
  "location.lon_deg": { kind: "number", required: true, least: -180, most: 180, unit: "°" },
  "location.lat_deg": { kind: "number", required: true, least: -90, most: 90, unit: "°" },
  "demand.installed_kw": { kind: "number", required: true, above: 0, most: 1000000, unit: "kW" },
  "demand.capacity_kva": { kind: "number", above: 0, most: 1000000, unit: "kVA" },
  "demand.power_factor": { kind: "number", above: 0, most: 1 },
  "demand.single_phase": { kind: "flag" },
  "voltage": { kind: "choice", codes: ["auto", "220V", "380V", "10kV"], preset: "auto", required: true },
  "sources": { kind: "choice", codes: ["single", "dual_circuit", "dual_source"], preset: "single", required: true },
  "needed_on": { kind: "day" },
  "demand.largest_motor_kw": { kind: "number", above: 0, most: 1000000, unit: "kW" },
  "demand.start_method": { kind: "choice", codes: ["direct", "soft_starter", "star_delta", "frequency_converter"] },
  "demand.start_current_ratio": { kind: "number", above: 0, most: 20 },
  "demand.starts_per_hour": { kind: "number", above: 0, most: 3600 },
  "demand.nonlinear_kva": { kind: "number", above: 0, most: 1000000, unit: "kVA" },
  "demand.harmonic_currents": { kind: "harmonics", most: 24 },
  "demand.load_change_kva": { kind: "number", above: 0, most: 1000000, unit: "kVA" },
  "demand.changes_per_minute": { kind: "number", above: 0, most: 6000 },
  "demand.unbalanced_kva": { kind: "number", above: 0, most: 1000000, unit: "kVA" },
  "circumstances.special_loads": { kind: "several", codes: ["impact", "nonlinear", "unbalanced"] },
  "circumstances.security_load_kw": { kind: "number", above: 0, most: 1000000, unit: "kW" },
  "circumstances.load_class1_kw": { kind: "number", least: 0, most: 1000000, unit: "kW" },
  "circumstances.load_class2_kw": { kind: "number", least: 0, most: 1000000, unit: "kW" },
  "circumstances.in_provincial_park": { kind: "flag" },
  "circumstances.is_urgent": { kind: "flag" },
  "circumstances.wants_high_voltage": { kind: "flag" },
  "circumstances.transfers_assets": { kind: "flag" },
  "circumstances.has_external_works": { kind: "flag" },
  "circumstances.is_proactive": { kind: "flag" },
  "circumstances.can_meter_directly": { kind: "flag" },
  "circumstances.is_substitution_project": { kind: "flag" },
  "circumstances.substitution_share": { kind: "percent", least: 0, most: 1, unit: "%" },
  "circumstances.exclusion": { kind: "choice", codes: ["non_residential_lighting", "agriculture_irrigation", "telecom_base_station", "petrol_station", "state_owned_or_chain_subsidiary", "temporary", "batch_application"] },
  "circumstances.households": { kind: "whole", above: 0, most: 1000000 },
  "circumstances.is_master_metered": { kind: "flag" },
  "circumstances.proofs_are_online": { kind: "flag" },
  "circumstances.has_property_proof": { kind: "flag" },
  "circumstances.red_line": { kind: "polygon" },
};

/** Fields of one row of harmonic currents. */
export const HARMONIC = {
  order: { kind: "whole", required: true, least: 2, most: 25 },
  current_a: { kind: "number", required: true, least: 0, most: 100000, unit: "A" },
};

/** Which fields stand together; `isFolded` ones are for who needs them, `roles` limits who is shown a part. */
export const SECTIONS = [
  { name: "who", fields: ["applicant.name", "applicant.category", "applicant.contact"] },
  { name: "where", fields: ["location.datum", "location.lon_deg", "location.lat_deg"], hasMap: true },
  { name: "what", fields: ["business", "demand.installed_kw", "demand.capacity_kva", "voltage", "needed_on", "purpose"] },
  { name: "more", isFolded: true, fields: ["demand.power_factor", "demand.single_phase", "sources", "applicant.importance", "circumstances.security_load_kw", "circumstances.load_class1_kw", "circumstances.load_class2_kw"] },
  { name: "equipment", isFolded: true, fields: ["demand.largest_motor_kw", "demand.start_method", "demand.start_current_ratio", "demand.starts_per_hour", "demand.nonlinear_kva", "demand.load_change_kva", "demand.changes_per_minute", "demand.unbalanced_kva", "circumstances.special_loads", "demand.harmonic_currents"] },
  { name: "facts", isFolded: true, fields: ["circumstances.in_provincial_park", "circumstances.is_urgent", "circumstances.wants_high_voltage", "circumstances.transfers_assets", "circumstances.has_external_works", "circumstances.is_proactive", "circumstances.can_meter_directly", "circumstances.is_substitution_project", "circumstances.substitution_share", "circumstances.exclusion", "circumstances.households", "circumstances.is_master_metered", "circumstances.proofs_are_online", "circumstances.has_property_proof", "circumstances.red_line"] },
  { name: "number", isFolded: true, fields: ["request_id", "received_on"] },
];

/** Return the id of a field's control. */
export function idOf(path) {
  return `f-${path.replaceAll(".", "-")}`;
}
