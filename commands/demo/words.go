package demo

import "math/rand/v2"

// share is a name and how many of a hundred have it.
type share struct {
	name    string
	percent int
}

func pick(r *rand.Rand, shares []share) share {
	n := r.IntN(100)
	for _, s := range shares {
		if n -= s.percent; n < 0 {
			return s
		}
	}
	return shares[len(shares)-1]
}

type problem struct{ category, title, words string }

var (
	kinds      = []share{{"repair", 62}, {"maintenance", 14}, {"installation", 8}, {"consultation", 12}, {"training", 4}}
	channels   = []share{{"phone", 70}, {"web", 25}, {"on_site", 5}}
	priorities = []share{{"normal", 78}, {"high", 17}, {"critical", 5}}
	causes     = []share{{"misuse", 60}, {"product", 30}, {"environment", 10}}

	teams    = []string{"north", "south", "east", "hotline"}
	agents   = []string{"agent-01", "agent-02", "agent-03", "agent-04", "agent-05", "agent-06", "agent-07", "agent-08", "agent-09", "agent-10", "agent-11", "agent-12"}
	products = []string{"signage-led", "signage-lightbox", "signage-door", "queue-screen", "atm-surround"}
	outlets  = []string{"beijing", "shanghai", "guangzhou", "shenzhen", "chengdu", "wuhan", "xian"}
	waits    = []string{"customer", "parts", "vendor"}

	surnames   = []string{"王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "胡", "朱", "高", "林", "何", "郭", "马", "罗"}
	givenNames = []string{"伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "洋", "艳", "勇", "军", "杰", "娟", "涛", "明", "超", "霞", "平", "刚"}

	problems = map[string][]problem{
		"repair": {
			{"lighting", "门楣灯箱不亮", "支行门口的灯箱昨晚开始不亮, 影响夜间营业, 请尽快安排人员检修。"},
			{"lighting", "Half of the LED letters are dark", "Since this morning three of the six letters above the entrance stay dark."},
			{"door", "感应门不能关闭", "感应门开启后无法自动关闭, 已经影响空调和安全。"},
			{"screen", "叫号屏花屏", "叫号屏显示错乱, 客户看不清号码。"},
			{"water", "Water behind the fascia panel", "After the storm water drips from the panel onto the steps; somebody could slip."},
		},
		"maintenance": {
			{"inspection", "季度巡检", "请安排本季度的招牌巡检和清洁。"},
			{"cleaning", "Annual cleaning of the light boxes", "Please arrange the yearly cleaning before the holiday."},
		},
		"installation": {
			{"new_outlet", "新网点门楣安装", "新网点下月开业, 需要安装门楣和灯箱。"},
			{"replacement", "Replace the old logo", "The old logo has to be replaced after the merger."},
		},
		"consultation": {
			{"warranty", "保修期咨询", "请问2023年安装的灯箱还在保修期内吗?"},
			{"power", "How much power does the new sign need?", "Our electrician asks for the rated power of the LED sign."},
		},
		"training": {
			{"operation", "操作培训", "新员工需要学习叫号系统的操作。"},
		},
	}

	replies = []string{
		"您好, 已收到您的问题, 技术人员会尽快与您联系。",
		"Thank you for calling. A technician will be with you as soon as possible.",
		"您好, 请先重启设备电源, 如仍有问题我们安排上门。",
	}
	plans    = []string{"更换电源模块并测试", "Replace the LED strip and seal the panel", "调整感应器并清洁轨道", "更换显示屏排线"}
	comments = map[int][]string{
		1: {"等了三天没有人来。", "Nobody came when promised."},
		2: {"处理太慢。", "It took far too long."},
		3: {"还可以。", "It works now, but I had to call twice."},
		4: {"师傅很专业。", "Good work."},
		5: {"非常满意, 当天就修好了!", "Fast and friendly, thank you."},
	}
)
