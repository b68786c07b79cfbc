export { APPROVAL_PAGES } from './approval-page.controller.js';
export { ApprovalsHttpModule } from './approvals-http.module.js';
export {
  ApprovalDetail,
  ApprovalRequested,
  RequestApproval,
  toApprovalDetail,
  toNewApprovalRequest,
  toTelling,
} from './approval.dto.js';
