import { texts } from './language'
import type { Role } from './me'

const useTexts = texts(
  'roles',
  { hr_admin: '人事管理员', department_head: '部门负责人', employee: '员工', reviewer: '审核人', auditor: '审计', it_ops: 'IT 运维' },
  { hr_admin: 'HR', department_head: 'Department head', employee: 'Employee', reviewer: 'Reviewer', auditor: 'Auditor', it_ops: 'IT operations' },
)

const all: Role[] = ['hr_admin', 'department_head', 'employee', 'reviewer', 'auditor', 'it_ops']

export function useRoleTexts() {
  const t = useTexts()
  return all.map((value) => ({ value, label: t(value) }))
}
