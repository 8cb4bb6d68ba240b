/** One shape for a scheme, whether it is the customer's record or the full one: the pages draw this and nothing else. */

const M_PER_KM = 1000;

/**
 * Return what a page shows of a scheme. `isRounded` says that lengths and costs are rounded up, as customers are told.
 * @param {Object} record as the service answers it
 */
export function modelOf(record) {
  return record.audience === "customer" ? ofCustomer(record) : ofStaff(record);
}

function ofCustomer(record) {
  return {
    ...common(record),
    isRounded: true,
    roundingNote: record.rounding_note,
    isConsultation: !record.is_binding,
    site: record.request.location,
    sourceKinds: (record.supply?.sources ?? []).map((source) => source.kind),
    nowKva: record.own_site.answer === "feasible_up_to" ? record.own_site.capacity_kva : null,
    stages: record.stages.map((stage) => ({ no: stage.stage_no, kva: stage.capacity_kva, workdays: stage.duration_workdays, text: "" })),
    conditions: record.conditions,
    dataNeeded: record.data_needed,
    customerWorks: record.works.map(({ text, quantity, unit }) => ({ text, quantity, unit })),
    variants: (record.variants ?? []).map((variant) => ({
      no: variant.variant_no,
      points: variant.points.map(pointOfCustomer),
      customerCost: variant.customer_cost_cny10k,
      utilityCost: variant.utility_cost_cny10k,
      promiseOn: variant.promise_on,
      promiseNotBeforeOn: variant.promise_not_before_on,
      promiseText: variant.promise_text,
      plannedOn: variant.planned_on,
      security: variant.outage_security,
      isCarried: variant.is_carried_in_outage,
      open: [...variant.dates_needed, ...variant.data_needed],
      conditions: variant.conditions,
    })),
    timeline: timelineOf(record.timeline),
    validity: record.valid_to_on === null ? null : { from: record.valid_from_on, to: record.valid_to_on },
    steps: record.steps,
    repliedOn: record.replied_on,
    replyText: null,
    transformers: record.receiving?.transformers ?? [],
    mainConnection: record.receiving?.main_connection ?? null,
    compensation: record.protection.compensation,
    emergency: record.protection.emergency,
    incoming: record.protection.incoming,
  };
}

function pointOfCustomer(point) {
  return { mode: point.connection_mode, laying: point.laying, label: point.line_label, lengthM: point.route_length_m };
}

function ofStaff(record) {
  const stages = record.transition?.stages ?? [];
  const best = record.variants[0];
  const qualities = best ? partsOf(best).map((part) => part.power_quality).filter(Boolean) : [];
  return {
    ...common(record),
    isRounded: false,
    roundingNote: null,
    isConsultation: record.consultation !== null && record.consultation !== undefined,
    site: { ...record.request.location_cgcs2000, datum: "CGCS2000" },
    sourceKinds: (record.supply?.sources ?? []).map((source) => source.kind),
    nowKva: stages[0]?.capacity_kva || null,
    stages: stages.map((stage) => ({ no: stage.stage_no, kva: stage.capacity_kva || null, workdays: stage.duration_workdays, text: stage.text })),
    conditions: once(qualities.flatMap((quality) => quality.conditions)),
    dataNeeded: once(qualities.flatMap((quality) => quality.data_needed)),
    customerWorks: (best?.works ?? []).filter((work) => work.side === "customer"),
    variants: record.variants.map(variantOfStaff),
    timeline: timelineOf(record.timeline),
    validity: record.validity && !record.consultation ? record.validity : null,
    steps: record.steps.map((step) => step.name),
    repliedOn: record.provenance.as_of,
    replyText: record.reply?.text ?? null,
    transformers: (record.receiving?.transformers ?? []).map((item) => `${item.model} × ${item.count}`),
    mainConnection: record.receiving?.main_connection ?? null,
    compensation: record.reactive_compensation?.text ?? null,
    emergency: record.emergency_source?.text ?? null,
    incoming: record.protection?.incoming ?? null,
  };
}

function variantOfStaff(variant) {
  const qualities = partsOf(variant).map((part) => part.power_quality).filter(Boolean);
  const { timeline } = variant;
  return {
    no: variant.rank,
    points: partsOf(variant).map((part) => ({ mode: part.connection_mode, laying: part.route.laying, label: part.route.line_label, lengthM: part.route.length_m })),
    customerCost: variant.cost.customer_typical_cny10k,
    utilityCost: variant.cost.utility_typical_cny10k,
    promiseOn: timeline.promise_on ?? null,
    promiseNotBeforeOn: timeline.promise_not_before_on ?? null,
    promiseText: timeline.promise_text ?? "",
    plannedOn: timeline.planned_on,
    security: variant.outage_security?.status ?? null,
    isCarried: variant.outage_security?.is_carried ?? null,
    open: once([...timeline.milestones.map((item) => item.needs_text ?? "").filter(Boolean), ...qualities.flatMap((quality) => quality.data_needed)]),
    conditions: once(qualities.flatMap((quality) => quality.conditions)),
  };
}

/** What stands in both records under the same names. */
function common(record) {
  return {
    id: record.scheme_id,
    requestId: record.request_id,
    verdict: record.verdict,
    request: record.request,
    reasons: record.reasons,
    supply: record.supply && {
      voltage: record.supply.voltage, phases: record.supply.phases, kva: record.supply.capacity_kva,
      loadKw: record.supply.calculated_load_kw, powerFactor: record.supply.power_factor,
    },
    metering: record.metering,
    tariff: record.tariff,
    investment: record.investment_boundary,
    fees: record.fees,
    documentsNeeded: record.required_documents,
    notices: record.notices,
  };
}

function timelineOf(timeline) {
  if (!timeline) return null;
  return {
    limit: timeline.limit,
    unit: timeline.limit_unit,
    limitOn: timeline.limit_on ?? null,
    plannedOn: timeline.planned_on,
    promiseOn: timeline.promise_on ?? null,
    promiseText: timeline.promise_text ?? "",
    milestones: timeline.milestones.map((item) => ({ text: item.text, from: item.starts_on, to: item.ends_on, needs: item.needs_text ?? "" })),
  };
}

function partsOf(variant) {
  return [variant, ...(variant.further_sources ?? [])];
}

function once(texts) {
  return [...new Set(texts)];
}

/** Return the whole length of a variant's routes (m). */
export function lengthOf(variant) {
  return variant.points.reduce((sum, { lengthM }) => sum + lengthM, 0);
}

/** Return a length as metres, or kilometres from one on. */
export function lengthParts(lengthM) {
  return lengthM < M_PER_KM ? { value: lengthM, unit: "m", digits: 0 } : { value: lengthM / M_PER_KM, unit: "km", digits: 2 };
}
