package sample

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// province is one of the provinces whose agencies push dossiers.
type province struct {
	name     string // with its rank: "thành phố Hà Nội"
	short    string
	id       string // code in personal IDs
	code     string // identifier of its People's Committee
	communes []commune
	streets  []string
}

type commune struct {
	name     string // with its rank: "phường Cửa Nam"
	district string // of the time before July 2025
	number   int    // second level of the agency identifier
}

// agency is who receives and settles.
type agency struct {
	code, name, place, leader, clerk string
}

// One line for a province: name, short name, ID code, agency code, communes with district and number, streets.
const provinceTable = `
thành phố Hà Nội|Hà Nội|001|H26|phường Cửa Nam,quận Hoàn Kiếm,101;phường Kim Liên,quận Đống Đa,112;phường Bạch Mai,quận Hai Bà Trưng,118;xã Phù Đổng,huyện Gia Lâm,145|Lý Thường Kiệt,Trần Hưng Đạo,Phạm Ngọc Thạch,Đê La Thành,Minh Khai,Lò Đúc,Hàm Long,Quán Sứ
Thành phố Hồ Chí Minh|Hồ Chí Minh|079|H29|phường Bến Thành,Quận 1,68;phường Tân Định,Quận 1,72;phường Bình Trị Đông,quận Bình Tân,131;xã Bình Chánh,huyện Bình Chánh,160|Nguyễn Trãi,Hai Bà Trưng,Lê Thánh Tôn,Trần Quang Khải,Hương Lộ 2,Nguyễn Hữu Cảnh,Cách Mạng Tháng Tám,Võ Thị Sáu
thành phố Đà Nẵng|Đà Nẵng|048|H17|phường Thanh Khê,quận Thanh Khê,105;phường Cẩm Lệ,quận Cẩm Lệ,109;phường Hòa Khánh,quận Liên Chiểu,113;xã Hòa Tiến,huyện Hòa Vang,121|Điện Biên Phủ,Ông Ích Khiêm,Nguyễn Văn Linh,Tôn Đức Thắng,Hoàng Diệu,Trường Chinh,Lê Duẩn,Núi Thành
tỉnh Quảng Ninh|Quảng Ninh|022|H49|phường Hồng Gai,thành phố Hạ Long,64;phường Bãi Cháy,thành phố Hạ Long,66;phường Mạo Khê,thị xã Đông Triều,80;xã Hải Ninh,huyện Hải Hà,97|Lê Thánh Tông,Hạ Long,Cái Dăm,Hoàng Quốc Việt,Nguyễn Văn Cừ,Vườn Đào,Lê Lợi,Quang Trung
thành phố Cần Thơ|Cần Thơ|092|H13|phường Cái Khế,quận Ninh Kiều,31;phường An Bình,quận Ninh Kiều,33;phường Ô Môn,quận Ô Môn,40;xã Nhơn Ái,huyện Phong Điền,52|Trần Văn Khéo,Nguyễn Văn Cừ,Ba Mươi Tháng Tư,Mậu Thân,Lý Tự Trọng,Cách Mạng Tháng Tám,Tôn Đức Thắng,Phan Đình Phùng
tỉnh Lào Cai|Lào Cai|010|H38|phường Sa Pa,thị xã Sa Pa,22;phường Cam Đường,thành phố Lào Cai,25;xã Bắc Hà,huyện Bắc Hà,36;xã Bát Xát,huyện Bát Xát,41|Hoàng Liên,Nhạc Sơn,Ngọc Uyển,Thạch Sơn,Xuân Viên,Cầu Mây,Mường Hoa,Điện Biên`

func provinces() []province {
	var list []province
	for line := range strings.Lines(strings.TrimSpace(provinceTable)) {
		f := strings.Split(strings.TrimSpace(line), "|")
		p := province{name: f[0], short: f[1], id: f[2], code: f[3], streets: strings.Split(f[5], ",")}
		for c := range strings.SplitSeq(f[4], ";") {
			g := strings.Split(c, ",")
			n := 0
			for _, r := range g[2] {
				n = n*10 + int(r-'0')
			}
			p.communes = append(p.communes, commune{name: g[0], district: g[1], number: n})
		}
		list = append(list, p)
	}
	return list
}

// twoLevels tells whether the districts were gone.
func twoLevels(on time.Time) bool {
	return !on.Before(date(2025, 7, 1))
}

// within names a commune's place on a day, district and all.
func (p province) within(c commune, on time.Time) string {
	if twoLevels(on) {
		return fmt.Sprintf("%s, %s", c.name, p.name)
	}
	return fmt.Sprintf("%s, %s, %s", c.name, c.district, p.name)
}

func (p province) address(rng *rand.Rand, c commune, on time.Time) string {
	at := p.within(c, on)
	switch {
	case strings.HasPrefix(c.name, "xã"):
		return fmt.Sprintf("thôn %d, %s", 1+rng.IntN(12), at)
	case rng.IntN(3) == 0:
		return fmt.Sprintf("số %d/%d đường %s, %s", 1+rng.IntN(300), 1+rng.IntN(60), pick(rng, p.streets), at)
	default:
		return fmt.Sprintf("số %d đường %s, %s", 1+rng.IntN(400), pick(rng, p.streets), at)
	}
}

// office is which agency of a province or a commune is competent.
type office int

const (
	atCommune office = iota
	atPolice
	atInsurance
	atLand
	atConstruction
	atTrade
	atJustice
	atProvince
)

// agencyFor names the competent agency as it was called on a day.
func agencyFor(o office, p province, c commune, on time.Time) agency {
	at := p.within(c, on)
	bare := strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(c.name, "phường "), "xã "), "thị trấn ")
	switch o {
	case atPolice:
		return agency{fmt.Sprintf("G01.%s.%d", p.code[1:], c.number), "Công an " + at, bare, "Trưởng Công an", "cán bộ Cảnh sát quản lý hành chính"}
	case atInsurance:
		return agency{p.code + ".240", "Bảo hiểm xã hội " + p.name, p.short, "Phó Giám đốc", "chuyên viên Phòng Chế độ"}
	case atLand:
		return agency{p.code + ".212", "Văn phòng Đăng ký đất đai " + p.name, p.short, "Giám đốc", "viên chức Phòng Đăng ký và cấp giấy chứng nhận"}
	case atConstruction:
		return agency{p.code + ".206", "Sở Xây dựng " + p.name, p.short, "Phó Giám đốc", "chuyên viên Phòng Quản lý cấp phép xây dựng"}
	case atTrade:
		return agency{p.code + ".204", "Sở Công Thương " + p.name, p.short, "Phó Giám đốc", "chuyên viên Phòng Quản lý thương mại"}
	case atJustice:
		if !on.Before(date(2025, 3, 1)) {
			return agency{"G01." + p.code[1:], "Công an " + p.name, p.short, "Trưởng phòng Hồ sơ nghiệp vụ", "cán bộ Phòng Hồ sơ nghiệp vụ"}
		}
		return agency{p.code + ".211", "Sở Tư pháp " + p.name, p.short, "Phó Giám đốc", "chuyên viên Phòng Lý lịch tư pháp"}
	case atProvince:
		return agency{p.code, "Ủy ban nhân dân " + p.name, p.short, "Phó Chủ tịch", "thanh tra viên"}
	default:
		return agency{fmt.Sprintf("%s.%d", p.code, c.number), "Ủy ban nhân dân " + at, bare, "Phó Chủ tịch", "công chức chuyên môn"}
	}
}

// reversed writes an agency identifier in the older form, four levels with the most special one first.
func reversed(code string) string {
	parts := strings.Split(code, ".")
	slices.Reverse(parts)
	for len(parts) < 4 {
		if len(parts) < 3 {
			parts = slices.Insert(parts, 0, "00")
		} else {
			parts = slices.Insert(parts, 0, "000")
		}
	}
	return strings.Join(parts, ".")
}

// law is one wording of a legal basis, from a day on.
type law struct {
	from time.Time
	name string
}

// Legal bases by the time they held: key, first day, name. The first line of a key serves earlier days too.
const lawTable = `
local|1994-07-01|Luật Tổ chức Hội đồng nhân dân và Ủy ban nhân dân (sửa đổi) ngày 21 tháng 6 năm 1994
local|2004-07-01|Luật Tổ chức Hội đồng nhân dân và Ủy ban nhân dân ngày 26 tháng 11 năm 2003
local|2016-01-01|Luật Tổ chức chính quyền địa phương ngày 19 tháng 6 năm 2015
local|2025-07-01|Luật Tổ chức chính quyền địa phương ngày 16 tháng 6 năm 2025
desk|1994-05-04|Nghị quyết số 38-CP ngày 04 tháng 5 năm 1994 của Chính phủ về cải cách một bước thủ tục hành chính
desk|2003-09-04|Quyết định số 181/2003/QĐ-TTg ngày 04 tháng 9 năm 2003 của Thủ tướng Chính phủ về cơ chế một cửa
desk|2007-07-20|Quyết định số 93/2007/QĐ-TTg ngày 22 tháng 6 năm 2007 của Thủ tướng Chính phủ về cơ chế một cửa, một cửa liên thông
desk|2015-05-10|Quyết định số 09/2015/QĐ-TTg ngày 25 tháng 3 năm 2015 của Thủ tướng Chính phủ về cơ chế một cửa, một cửa liên thông
desk|2018-06-21|Nghị định số 61/2018/NĐ-CP ngày 23 tháng 4 năm 2018 của Chính phủ về cơ chế một cửa, một cửa liên thông
desk|2025-07-01|Nghị định số 118/2025/NĐ-CP ngày 09 tháng 6 năm 2025 của Chính phủ về cơ chế một cửa, một cửa liên thông
civil|1961-01-16|Điều lệ đăng ký hộ tịch ban hành kèm theo Nghị định số 4/CP ngày 16 tháng 01 năm 1961
civil|1998-10-25|Nghị định số 83/1998/NĐ-CP ngày 10 tháng 10 năm 1998 của Chính phủ về đăng ký hộ tịch
civil|2006-04-01|Nghị định số 158/2005/NĐ-CP ngày 27 tháng 12 năm 2005 của Chính phủ về đăng ký và quản lý hộ tịch
civil|2016-01-01|Luật Hộ tịch ngày 20 tháng 11 năm 2014
marriage|1987-01-03|Luật Hôn nhân và gia đình ngày 29 tháng 12 năm 1986
marriage|2001-01-01|Luật Hôn nhân và gia đình ngày 09 tháng 6 năm 2000
marriage|2015-01-01|Luật Hôn nhân và gia đình ngày 19 tháng 6 năm 2014
land|1993-10-15|Luật Đất đai ngày 14 tháng 7 năm 1993
land|2004-07-01|Luật Đất đai ngày 26 tháng 11 năm 2003
land|2014-07-01|Luật Đất đai ngày 29 tháng 11 năm 2013
land|2024-08-01|Luật Đất đai ngày 18 tháng 01 năm 2024
building|1994-10-20|Điều lệ quản lý đầu tư và xây dựng ban hành kèm theo Nghị định số 177/CP ngày 20 tháng 10 năm 1994
building|2004-07-01|Luật Xây dựng ngày 26 tháng 11 năm 2003
building|2015-01-01|Luật Xây dựng ngày 18 tháng 6 năm 2014
business|1992-03-02|Nghị định số 66/HĐBT ngày 02 tháng 3 năm 1992 về cá nhân và nhóm kinh doanh
business|2000-02-18|Nghị định số 02/2000/NĐ-CP ngày 03 tháng 02 năm 2000 của Chính phủ về đăng ký kinh doanh
business|2010-06-01|Nghị định số 43/2010/NĐ-CP ngày 15 tháng 4 năm 2010 của Chính phủ về đăng ký doanh nghiệp
business|2015-11-01|Nghị định số 78/2015/NĐ-CP ngày 14 tháng 9 năm 2015 của Chính phủ về đăng ký doanh nghiệp
business|2021-01-04|Nghị định số 01/2021/NĐ-CP ngày 04 tháng 01 năm 2021 của Chính phủ về đăng ký doanh nghiệp
business|2025-07-01|Nghị định số 168/2025/NĐ-CP ngày 30 tháng 6 năm 2025 của Chính phủ về đăng ký doanh nghiệp
alcohol|2008-04-07|Nghị định số 40/2008/NĐ-CP ngày 07 tháng 4 năm 2008 của Chính phủ về sản xuất, kinh doanh rượu
alcohol|2013-01-01|Nghị định số 94/2012/NĐ-CP ngày 12 tháng 11 năm 2012 của Chính phủ về sản xuất, kinh doanh rượu
alcohol|2017-11-01|Nghị định số 105/2017/NĐ-CP ngày 14 tháng 9 năm 2017 của Chính phủ về kinh doanh rượu
complaint|1991-05-07|Pháp lệnh Khiếu nại, tố cáo của công dân ngày 07 tháng 5 năm 1991
complaint|1999-01-01|Luật Khiếu nại, tố cáo ngày 02 tháng 12 năm 1998
complaint|2012-07-01|Luật Khiếu nại ngày 11 tháng 11 năm 2011
certification|1991-02-27|Nghị định số 45/HĐBT ngày 27 tháng 02 năm 1991 về tổ chức và hoạt động công chứng nhà nước
certification|2001-04-01|Nghị định số 75/2000/NĐ-CP ngày 08 tháng 12 năm 2000 của Chính phủ về công chứng, chứng thực
certification|2007-07-01|Nghị định số 79/2007/NĐ-CP ngày 18 tháng 5 năm 2007 của Chính phủ về chứng thực bản sao, chứng thực chữ ký
certification|2015-04-10|Nghị định số 23/2015/NĐ-CP ngày 16 tháng 02 năm 2015 của Chính phủ về chứng thực
criminal|2010-07-01|Luật Lý lịch tư pháp ngày 17 tháng 6 năm 2009
residence|2007-07-01|Luật Cư trú ngày 29 tháng 11 năm 2006
residence|2021-07-01|Luật Cư trú ngày 13 tháng 11 năm 2020
insurance|2009-07-01|Luật Bảo hiểm y tế ngày 14 tháng 11 năm 2008
identity|2024-07-01|Luật Căn cước ngày 27 tháng 11 năm 2023
social|2000-03-09|Nghị định số 07/2000/NĐ-CP ngày 09 tháng 3 năm 2000 của Chính phủ về chính sách cứu trợ xã hội
social|2007-05-13|Nghị định số 67/2007/NĐ-CP ngày 13 tháng 4 năm 2007 của Chính phủ về chính sách trợ giúp các đối tượng bảo trợ xã hội
social|2014-01-01|Nghị định số 136/2013/NĐ-CP ngày 21 tháng 10 năm 2013 của Chính phủ về chính sách trợ giúp xã hội
social|2021-07-01|Nghị định số 20/2021/NĐ-CP ngày 15 tháng 3 năm 2021 của Chính phủ về chính sách trợ giúp xã hội
merit|1995-01-01|Pháp lệnh Ưu đãi người hoạt động cách mạng, liệt sĩ và gia đình liệt sĩ, thương binh, bệnh binh ngày 29 tháng 8 năm 1994
merit|2005-10-01|Pháp lệnh Ưu đãi người có công với cách mạng ngày 29 tháng 6 năm 2005
merit|2021-07-01|Pháp lệnh Ưu đãi người có công với cách mạng ngày 09 tháng 12 năm 2020`

func laws() map[string][]law {
	table := map[string][]law{}
	for line := range strings.Lines(strings.TrimSpace(lawTable)) {
		f := strings.SplitN(strings.TrimSpace(line), "|", 3)
		from, err := time.Parse(time.DateOnly, f[1])
		if err != nil {
			panic("sample: internal error: " + err.Error())
		}
		table[f[0]] = append(table[f[0]], law{from, f[2]})
	}
	return table
}

// lawOn gives the wording that held on a day.
func lawOn(list []law, on time.Time) string {
	name := list[0].name
	for _, l := range list {
		if !on.Before(l.from) {
			name = l.name
		}
	}
	return name
}
