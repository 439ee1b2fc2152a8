import { Select } from 'antd'
import type { SelectProps } from 'antd'

import { useRoleTexts } from './roles'
import { useShellTexts } from './texts'

/** As which of one's roles one logs in; the usual one if none is chosen. */
export default function RoleSelect(props: SelectProps) {
  const t = useShellTexts()
  return <Select allowClear placeholder={t('asRoleFirst')} options={useRoleTexts()} {...props} />
}
