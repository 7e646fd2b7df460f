-- Argo CD's health of an InferenceModel, by its conditions. docs/operations.md says where it goes.
-- The first rule that holds: a condition's type, its reason ("" is any), the health. All of them are True.
local rules = {
  {"Stalled", "", "Degraded"},
  {"Reconciling", "Paused", "Suspended"},
  {"Reconciling", "WaitingForPromotion", "Suspended"},
  {"Reconciling", "", "Progressing"},
  {"Ready", "", "Healthy"},
}
local seen = obj.status or {}
if (seen.observedGeneration or 0) < (obj.metadata.generation or 0) then
  return {status = "Progressing", message = "the operator has not seen this generation yet"}
end
for _, rule in ipairs(rules) do
  for _, condition in ipairs(seen.conditions or {}) do
    local fits = rule[2] == "" or rule[2] == condition.reason
    if condition.type == rule[1] and condition.status == "True" and fits then
      return {status = rule[3], message = condition.message}
    end
  end
end
return {status = "Progressing", message = "it is not ready yet"}
