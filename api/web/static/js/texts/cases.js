/** Texts of the list of applications: `key: [Chinese, English]`. */
export default {
  "cases.title": ["我的申请", "My applications"],
  "cases.none": ["还没有申请。填写一份用电申请,系统会随即核算电网并给出供电方案。", "No applications yet. Fill one in and you are given a supply scheme at once."],
  "cases.apply": ["新的用电申请", "New application"],
  "cases.more": ["显示更多", "Show more"],
  "cases.open": ["查看方案", "Open"],
  "cases.open_one": ["查看申请 {request} 的方案", "Open the scheme of {request}"],
  "cases.head.request": ["申请编号", "Application"],
  "cases.head.made": ["方案日期", "Answered on"],
  "cases.head.verdict": ["结论", "Conclusion"],
  "cases.head.state": ["状态", "State"],
  "cases.head.kept": ["容量保留至", "Capacity kept until"],
  "cases.head.open": ["方案", "Scheme"],
};
