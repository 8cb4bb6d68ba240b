/** Texts of the page for signing in: `key: [Chinese, English]`. */
export default {
  "sign_in.title": ["登录", "Sign in"],
  "sign_in.key": ["密钥或令牌", "Key or token"],
  "sign_in.hint": ["仅保存在本标签页,关闭即失效;密钥由运行人员签发(gridscheme key create)。", "Kept for this tab only, gone when it is closed. Keys are issued by the operator (gridscheme key create)."],
  "sign_in.wrong": ["密钥或令牌无效或已过期。", "This key or token is not valid, or has expired."],
  "sign_in.is": ["您已登录。", "You are signed in."],
};
