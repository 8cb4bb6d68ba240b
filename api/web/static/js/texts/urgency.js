/** Texts about the time limit of a case: `key: [Chinese, English]`. */
export default {
  "urgency.overdue": ["已超期", "overdue"],
  "urgency.due": ["今日到期", "due today"],
  "urgency.soon": ["临期", "due soon"],
  "urgency.ok": ["时限内", "in time"],
  "urgency.none": ["无在办时限", "no running limit"],
  "urgency.left": ["还剩 {count} 个工作日", "{count} working days left"],
  "urgency.late": ["超期 {count} 个工作日", "{count} working days late"],
  "urgency.until": ["截止 {day}", "until {day}"],
  "urgency.alert": ["{colour}预警,通知{receiver}", "{colour} alert, told to {receiver}"],
};
